// Reads the text form of a graph (see print.ts). In: text, the ops it may use, the payloads of its large constants. Out: a
// graph as `makeGraph` would have made it, with the node order of the text; every type rule has been run again and
// gives the printed type. Reading has two halves: syntax into records here, records into nodes in link.ts.

import type { Attrs, AttrValue, Graph, SourceLocation } from './ir.ts';
import { linkGraph } from './link.ts';
import type { ParseOptions, TextGraph, TextNode, TextRef } from './text.ts';
import { TokenCursor } from './tokens.ts';
import { type DType, dtypes, type TensorType } from './types.ts';

/** Lists and regions nest no deeper than this, so that reading a text never overflows the stack. */
const deepest = 200;

/**
 * Reads a graph. Nodes may be written in any order; if theirs is not a valid one, they are sorted. Nodes that nothing
 * reaches are dropped, as everywhere. Throws, with line, column and the offending line: HDL0006 when the text does not
 * parse or a printed type differs from the type rule's, HDL0007 for a cycle, HDL0008 for an undeclared input, HDL0013
 * for an unknown op, and the errors of the type rules.
 *
 *   const graph = parseGraph('graph g (%0) { %0 = input {dtype = "f32", shape = [2]} : f32[2] @x output y = %0 }',
 *     { ops: registry });
 */
export function parseGraph(text: string, options: ParseOptions): Graph {
  const cursor = new TokenCursor(text, options.file ?? 'graph text');
  cursor.expect('graph');
  const graph = parseBody(cursor, 0);
  if (cursor.peek.kind !== 'end') cursor.unexpected('the end of the text');
  return linkGraph(graph, cursor, options);
}

/** What follows the word `graph` or `region`. */
function parseBody(cursor: TokenCursor, depth: number): TextGraph {
  if (depth > deepest) throw cursor.error(cursor.peek.at, `regions nest deeper than ${deepest}`);
  const name = cursor.name('the name of the graph').text;
  const inputs = parseRefs(cursor);
  const nodes: TextNode[] = [];
  const outputs: { name: string; ref: TextRef }[] = [];
  const updates: { variable: TextRef; value: TextRef }[] = [];
  cursor.expect('{');
  while (!cursor.accept('}')) {
    if (cursor.peek.kind === 'id') {
      nodes.push(parseNode(cursor, depth));
    } else if (cursor.accept('output')) {
      const output = cursor.name('the name of the output').text;
      cursor.expect('=');
      outputs.push({ name: output, ref: parseRef(cursor) });
    } else if (cursor.accept('update')) {
      const variable = parseRef(cursor);
      cursor.expect('=');
      updates.push({ variable, value: parseRef(cursor) });
    } else {
      cursor.unexpected("a node such as '%3 = …', 'output', 'update' or '}'");
    }
  }
  return { name, inputs, nodes, outputs, updates };
}

function parseNode(cursor: TokenCursor, depth: number): TextNode {
  const id = parseRef(cursor);
  cursor.expect('=');
  const op = cursor.name('the name of an op');
  const operands = cursor.sees('(') ? parseRefs(cursor) : [];
  const hash = cursor.peek.kind === 'hash' ? cursor.next() : null;
  const attrs = cursor.sees('{') ? parseAttrs(cursor) : {};
  cursor.expect(':');
  const typeAt = cursor.peek.at;
  const type = parseType(cursor);
  const name = cursor.accept('@') ? cursor.name('the name of the value').text : null;
  const scope = cursor.accept('in') ? cursor.name('a scope').text : '';
  const loc = cursor.accept('at') ? parseLocation(cursor) : null;
  const regions: TextGraph[] = [];
  while (cursor.accept('region')) regions.push(parseBody(cursor, depth + 1));
  return { id, op, operands, hash, attrs, type, typeAt, name, scope, loc, regions };
}

function parseRef(cursor: TokenCursor): TextRef {
  const token = cursor.id();
  return { id: token.text, at: token.at };
}

/** `(%0, %1)` */
function parseRefs(cursor: TokenCursor): TextRef[] {
  const refs: TextRef[] = [];
  cursor.expect('(');
  if (cursor.accept(')')) return refs;
  do refs.push(parseRef(cursor));
  while (cursor.accept(','));
  cursor.expect(')');
  return refs;
}

/** `{axes = [0, 1], keep = true}` */
function parseAttrs(cursor: TokenCursor): Attrs {
  const attrs = new Map<string, AttrValue>();
  cursor.expect('{');
  do {
    const key = cursor.name('the name of an attribute');
    if (attrs.has(key.text)) throw cursor.error(key.at, `attribute '${key.text}' is given twice`);
    cursor.expect('=');
    attrs.set(key.text, parseValue(cursor, 0));
  } while (cursor.accept(','));
  cursor.expect('}');
  // fromEntries defines own properties, so that even `__proto__` is an ordinary name.
  return Object.fromEntries(attrs);
}

const constants: Readonly<Record<string, AttrValue>> = {
  true: true,
  false: false,
  null: null,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
};

function parseValue(cursor: TokenCursor, depth: number): AttrValue {
  const token = cursor.peek;
  if (token.kind === 'string') return cursor.next().text;
  if (token.kind === 'number') return Number(cursor.next().text);
  if (token.kind === 'word' && Object.hasOwn(constants, token.text)) return constants[cursor.next().text]!;
  if (!cursor.sees('[')) cursor.unexpected('a number, string, true, false, null or [list]');
  if (depth > deepest) throw cursor.error(token.at, `lists nest deeper than ${deepest}`);
  cursor.next();
  const list: AttrValue[] = [];
  if (cursor.accept(']')) return list;
  do list.push(parseValue(cursor, depth + 1));
  while (cursor.accept(','));
  cursor.expect(']');
  return list;
}

/** `f32[64, 10]` */
function parseType(cursor: TokenCursor): TensorType {
  const dtype = cursor.peek;
  if (dtype.kind !== 'word' || !Object.hasOwn(dtypes, dtype.text)) {
    cursor.unexpected(`a type such as f32[64, 10] (dtypes: ${Object.keys(dtypes).join(', ')})`);
  }
  cursor.next();
  const shape: number[] = [];
  cursor.expect('[');
  if (cursor.accept(']')) return { dtype: dtype.text as DType, shape };
  do shape.push(cursor.count('a dimension'));
  while (cursor.accept(','));
  cursor.expect(']');
  return { dtype: dtype.text as DType, shape };
}

/** `model.ts:12:5` */
function parseLocation(cursor: TokenCursor): SourceLocation {
  const file = cursor.name('a file').text;
  cursor.expect(':');
  const line = cursor.count('a line');
  cursor.expect(':');
  return { file, line, column: cursor.count('a column') };
}
