// Tokens of the text of a kernel, read one after the other. All errors are HDL0006, with line and column.

import { compilerError } from '../graph/errors.ts';

interface Token {
  readonly text: string;
  readonly at: number;
}

const pattern =
  /\s+|("(?:[^"\\]|\\.)*"|\$\d+|[A-Za-z_][A-Za-z0-9_]*(?:\.\d+)?|\d+(?:\.\d+)?(?:e[+-]?\d+)?[iu]?|\.\.|[^\s])/gy;

export class KernelTokens {
  readonly #text: string;
  readonly #tokens: Token[] = [];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    for (const match of text.matchAll(pattern)) {
      if (match[1] !== undefined) this.#tokens.push({ text: match[1], at: match.index });
    }
  }

  isAtEnd(): boolean {
    return this.#next >= this.#tokens.length;
  }

  /** A name. */
  name(): string {
    if (!/^[A-Za-z_]/.test(this.peek())) throw this.error('a name');
    return this.take();
  }

  /** A text in quotes. */
  string(): string {
    if (!this.peek().startsWith('"')) throw this.error('a text in quotes');
    return JSON.parse(this.take()) as string;
  }

  /** A number, with its sign. */
  integer(): number {
    const sign = this.accept('-') ? -1 : 1;
    if (!/^\d+(\.\d+)?(e[+-]?\d+)?$/.test(this.peek())) throw this.error('a number');
    return sign * Number(this.take());
  }

  /** One of the words; `what` says in errors what they are. */
  oneOf(words: readonly string[], what: string): string {
    if (!words.includes(this.peek())) throw this.error(what);
    return this.take();
  }

  /** Goes on if this is the next token. */
  accept(text: string): boolean {
    if (this.peek() !== text) return false;
    this.#next++;
    return true;
  }

  expect(text: string): void {
    if (!this.accept(text)) throw this.error(`'${text}'`);
  }

  /** The next token; '' at the end. */
  peek(): string {
    return this.#tokens[this.#next]?.text ?? '';
  }

  /** The next token, read. */
  take(): string {
    return this.#tokens[this.#next++]?.text ?? '';
  }

  /** HDL0006 at the next token, or at one of those before it. */
  error(wanted: string, back = 0): Error {
    const token = this.#tokens[this.#next + back];
    const before = this.#text.slice(0, token?.at ?? this.#text.length).split('\n');
    return compilerError('HDL0006', {
      what: `kernel text has ${token ? `'${token.text}'` : 'its end'} where ${wanted} should be`,
      loc: { file: 'kernel', line: before.length, column: before.at(-1)!.length + 1 },
    });
  }
}
