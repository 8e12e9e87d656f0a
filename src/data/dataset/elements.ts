// Elements: records of numbers, arrays and arrays with a shape. Here columns of arrays are cut into elements, and elements are put
// together again to batches.

import { compilerError } from '../../../compiler/graph/errors.ts';
import { elementCount } from '../../../compiler/graph/types.ts';
import type { RunInput } from '../../../runtime/tensor.ts';
import { flattenNested, type NestedArray } from '../../nested.ts';

/** An array with its shape, row-major. */
export interface Shaped<D = RunInput> {
  readonly data: D;
  readonly shape: readonly number[];
}

export function isShaped(value: unknown): value is Shaped {
  return typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;
}

export function isTyped(value: unknown): value is Float32Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !isTyped(value) &&
    !(value instanceof Promise) &&
    !isShaped(value)
  );
}

/** Arrays of one length, seen as elements. */
export interface Columns {
  readonly count: number;
  readonly at: (index: number) => Readonly<Record<string, unknown>>;
}

/**
 * Cuts arrays into elements. What has a shape, or is nested, says how many rows it has; a flat array has as many as the others say,
 * or, where all are flat, as the shortest has numbers. Throws HDL0016.
 */
export function columnsOf(columns: Readonly<Record<string, unknown>>): Columns {
  const leaves = [...leavesOf('', columns)];
  if (leaves.length === 0)
    throw invalid('a data set of no arrays', 'it has at least one', 'Dataset.from({ x, y })');
  const counted = leaves.map(([name, value]) => [name, countOf(name, value)] as const);
  const known = counted.filter(([, c]) => c.isKnown);
  const count = (known.length > 0 ? known : counted).reduce((n, [, c]) => Math.min(n, c.count), Infinity);
  for (const [name, own] of counted) {
    if (own.count === 0)
      throw invalid(`'${name}' is empty`, 'there is at least one example', 'check how it was read');
    if (own.isKnown ? own.count === count : own.count % count === 0) continue;
    const [other] = counted.find(([, c]) => c.count === count && (c.isKnown || known.length === 0))!;
    throw invalid(
      `'${name}' has ${own.count} ${own.isKnown ? 'rows' : 'numbers'} and '${other}' has ${count} rows`,
      'every example has a row in each array',
      own.isKnown ? 'check that they belong together' : `give its shape: { data, shape: [${count}, …] }`,
    );
  }
  const at = rowReader(columns, count) as Columns['at'];
  return { count, at };
}

/** The arrays in a record of records, by path. */
function* leavesOf(path: string, value: unknown): Generator<readonly [string, unknown]> {
  if (!isRecord(value)) {
    yield [path, value];
    return;
  }
  for (const [name, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    yield* leavesOf(path === '' ? name : `${path}.${name}`, inner);
  }
}

function countOf(name: string, value: unknown): { readonly count: number; readonly isKnown: boolean } {
  if (isShaped(value)) {
    const { data, shape } = value;
    if (data.length === elementCount(shape) && shape.length > 0) return { count: shape[0]!, isKnown: true };
    throw invalid(
      `'${name}' has shape [${shape.join(', ')}] and ${data.length} elements`,
      `a value of that shape has ${elementCount(shape)} elements`,
      'check the shape that goes with the data',
    );
  }
  if (isTyped(value)) return { count: value.length, isKnown: false };
  if (Array.isArray(value)) return { count: value.length, isKnown: typeof value[0] !== 'number' };
  const is = value instanceof Promise ? 'a promise' : `${typeof value}`;
  throw invalid(
    `'${name}' is ${is}`,
    'columns are typed arrays, nested arrays, or { data, shape }',
    is === 'a promise' ? 'await it first' : 'for elements one by one pass an iterable',
  );
}

/** Makes a function that gives row `index` of arrays with `count` rows: a number, an array, or an array with its shape. */
function rowReader(value: unknown, count: number): (index: number) => unknown {
  if (isShaped(value)) {
    const { data } = value;
    const shape = value.shape.slice(1);
    const size = elementCount(shape);
    if (shape.length === 0) return (index) => data[index];
    if (shape.length === 1) return (index) => part(data, index, size);
    return (index) => ({ data: part(data, index, size), shape });
  }
  if (isTyped(value) || Array.isArray(value)) {
    const list: ArrayLike<unknown> = value;
    const size = list.length / count;
    if (size === 1) return (index) => list[index];
    return (index) => part(list as RunInput, index, size);
  }
  const fields = Object.entries(value as object)
    .filter(([, inner]) => inner !== undefined)
    .map(([name, inner]) => [name, rowReader(inner, count)] as const);
  return (index) => {
    const row: Record<string, unknown> = {};
    for (const [name, read] of fields) row[name] = read(index);
    return row;
  };
}

function part(data: RunInput, index: number, size: number): ArrayLike<number> {
  return isTyped(data)
    ? data.subarray(index * size, (index + 1) * size)
    : (data as number[]).slice(index * size, (index + 1) * size);
}

/**
 * Puts elements of one form together: each value becomes an array with a shape whose first dimension is the batch. Numbers become
 * Float64Array, which holds integers exactly. Throws HDL0016 for elements that differ in form, or are of something else.
 */
export function stack(elements: readonly unknown[]): unknown {
  return stackAt('', elements);
}

function stackAt(path: string, values: readonly unknown[]): unknown {
  const [first] = values;
  const fail = (is: string, rule: string, hint: string): Error =>
    invalid(`a batch of elements${path === '' ? '' : `, '${path}'`} ${is}`, rule, hint);
  if (typeof first === 'number' || typeof first === 'boolean') {
    const wrong = values.findIndex((v) => typeof v !== typeof first);
    if (wrong >= 0)
      throw fail(`has ${describe(values[wrong])} after ${describe(first)}`, sameForm, 'make all alike');
    return { data: Float64Array.from(values as number[], Number), shape: [values.length] };
  }
  if (isRecord(first) && !isIterable(first)) {
    return Object.fromEntries(
      Object.keys(first).map((name) => [
        name,
        stackAt(
          path === '' ? name : `${path}.${name}`,
          values.map((v, i) => {
            if (isRecord(v) && v[name] !== undefined) return v[name];
            throw fail(`lacks '${name}' in element ${i}`, sameForm, 'give every element the same fields');
          }),
        ),
      ]),
    );
  }
  const arrays = values.map((v): Shaped => {
    if (isShaped(v)) return v;
    if (isTyped(v)) return { data: v, shape: [v.length] };
    if (Array.isArray(v)) {
      const { values: data, shape } = flattenNested(v as NestedArray, (where) =>
        fail(`is a ragged array: ${where}`, 'rows have one length', 'give all rows the same length'),
      );
      return { data, shape };
    }
    throw fail(
      `is of ${describe(v)}`,
      'elements are made of numbers, arrays of numbers, and { data, shape }',
      typeof v === 'string'
        ? 'make numbers of text: map((e) => ({ …e, y: classes.indexOf(e.kind) }))'
        : 'map each element to { x, y }',
    );
  });
  const [{ data: like, shape }] = arrays as [Shaped];
  const odd = arrays.find((a) => a.shape.join() !== shape.join());
  if (odd !== undefined) {
    throw fail(
      `has shapes [${shape.join(', ')}] and [${odd.shape.join(', ')}]`,
      sameForm,
      'crop or pad them to one size by map',
    );
  }
  const size = elementCount(shape);
  const make = isTyped(like) ? (like.constructor as Float64ArrayConstructor) : Float64Array;
  const data = new make(size * arrays.length);
  arrays.forEach((a, i) => {
    if (isTyped(like) && a.data.constructor !== like.constructor) {
      throw fail(
        `has ${a.data.constructor.name} after ${like.constructor.name}`,
        sameForm,
        'use one kind of array',
      );
    }
    data.set(a.data as readonly number[], i * size);
  });
  return { data, shape: [arrays.length, ...shape] };
}

const sameForm = 'all elements of a batch have the same form';

function isIterable(value: object): boolean {
  return Symbol.iterator in value || Symbol.asyncIterator in value;
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `the text '${value.slice(0, 30)}'`;
  if (typeof value === 'object' && value !== null) return `a ${value.constructor?.name ?? 'record'}`;
  return String(value);
}

function invalid(what: string, rule: string, hint: string): Error {
  return compilerError('HDL0016', { what, rule, hint });
}
