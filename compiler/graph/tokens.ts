// Tokens of the text form, with the position of each, and the error that shows the offending line. A cursor over
// tokens is all that the parser sees; the grammar of the tokens is the one that print.ts writes.

import type { HeddleError } from '../../runtime/errors.ts';
import { type CompilerErrorCode, compilerError } from './errors.ts';

export interface Token {
  /** `id` is `%12`, `hash` is `#…`; a `word` is bare, a `string` is quoted; `end` is the end of the text. */
  readonly kind: 'id' | 'hash' | 'word' | 'string' | 'number' | 'mark' | 'end';
  /** As written, except strings and hashes, which are decoded. */
  readonly text: string;
  /** Offset of the first character. */
  readonly at: number;
}

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['id', /%\d+/y],
  ['number', /-Infinity(?!\w)|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y],
  ['word', /[A-Za-z_/][\w./$-]*/y],
  ['hash', /#\w+/y],
  ['mark', /[(){}[\]=,:@]/y],
];

/** Reads tokens one after the other. All errors are HDL0006 unless told otherwise, and carry line and column. */
export class TokenCursor {
  private readonly text: string;
  private readonly file: string;
  private offset = 0;
  private token: Token;

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
    this.token = this.scan();
  }

  /** The next token, without consuming it. */
  get peek(): Token {
    return this.token;
  }

  next(): Token {
    const token = this.token;
    this.token = this.scan();
    return token;
  }

  /** Consumes the next token if it is this mark or bare word. */
  accept(text: string): boolean {
    if (!this.sees(text)) return false;
    this.next();
    return true;
  }

  sees(text: string): boolean {
    return this.token.text === text && (this.token.kind === 'mark' || this.token.kind === 'word');
  }

  expect(text: string): Token {
    if (!this.sees(text)) this.unexpected(`'${text}'`);
    return this.next();
  }

  /** A name: a bare word or a quoted string. */
  name(what: string): Token {
    if (this.token.kind !== 'word' && this.token.kind !== 'string') this.unexpected(what);
    return this.next();
  }

  id(): Token {
    if (this.token.kind !== 'id') this.unexpected('a value such as %3');
    return this.next();
  }

  /** An integer that is not negative. */
  count(what: string): number {
    const value = Number(this.token.text);
    if (this.token.kind !== 'number' || !Number.isSafeInteger(value) || value < 0) this.unexpected(what);
    this.next();
    return value;
  }

  unexpected(wanted: string): never {
    const found = this.token.kind === 'end' ? 'the end of the text' : JSON.stringify(this.token.text);
    throw this.error(this.token.at, `expected ${wanted}, found ${found}`);
  }

  /** An error at a place of the text: says line and column, and shows the line with a mark under the place. */
  error(
    at: number,
    what: string,
    more: {
      readonly code?: CompilerErrorCode;
      readonly rule?: string;
      readonly hint?: string;
      readonly cause?: unknown;
    } = {},
  ): HeddleError {
    const start = this.text.lastIndexOf('\n', at - 1) + 1;
    const end = this.text.indexOf('\n', at);
    const source = this.text.slice(start, end < 0 ? this.text.length : end);
    const line = this.text.slice(0, start).split('\n').length;
    // Long lines are cut around the place, so that the mark stays below it.
    const cut = Math.max(0, at - start - 80);
    const shown = source.slice(cut, cut + 120);
    return compilerError(
      more.code ?? 'HDL0006',
      {
        what: `line ${line}, column ${at - start + 1}: ${what}\n    ${shown}\n    ${' '.repeat(at - start - cut)}^`,
        rule: more.rule,
        hint: more.hint,
        loc: { file: this.file, line, column: at - start + 1 },
      },
      more.cause === undefined ? undefined : { cause: more.cause },
    );
  }

  private scan(): Token {
    const text = this.text;
    this.skipBlanks();
    const at = this.offset;
    if (at >= text.length) return { kind: 'end', text: '', at };
    if (text[at] === '"') return { kind: 'string', text: this.scanString(at), at };
    if (text[at] === '#' && text[at + 1] === '"') return { kind: 'hash', text: this.scanString(at + 1), at };
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (found === null) continue;
      this.offset = pattern.lastIndex;
      return { kind, text: kind === 'hash' ? found[0].slice(1) : found[0], at };
    }
    throw this.error(at, `${JSON.stringify(String.fromCodePoint(text.codePointAt(at)!))} means nothing here`);
  }

  private skipBlanks(): void {
    const text = this.text;
    for (;;) {
      const c = text[this.offset];
      if (c === ' ' || c === '\n' || c === '\t' || c === '\r') this.offset++;
      else if (c === ';') {
        const end = text.indexOf('\n', this.offset);
        this.offset = end < 0 ? text.length : end;
      } else return;
    }
  }

  /** Moves behind the closing quote of the JSON string that opens at `at`. */
  private scanString(at: number): string {
    const text = this.text;
    let end = at + 1;
    while (end < text.length && text[end] !== '"' && text[end] !== '\n') end += text[end] === '\\' ? 2 : 1;
    if (text[end] !== '"') throw this.error(at, 'the string is not closed on its line');
    this.offset = end + 1;
    try {
      return JSON.parse(text.slice(at, end + 1)) as string;
    } catch (cause) {
      throw this.error(at, 'the string is not valid', {
        rule: 'strings are written as in JSON',
        cause,
      });
    }
  }
}
