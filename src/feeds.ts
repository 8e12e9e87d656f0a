// Feeds: the arrays that a run gets. From their shapes, or from their lengths, follow the sizes of the named dimensions;
// out come flat arrays and these sizes. Elements are checked later, by the runtime.

import { nearestName } from '../compiler/graph/nearest.ts';
import { runtimeError } from '../runtime/errors.ts';
import type { RunInput } from '../runtime/tensor.ts';
import { type Flat, flattenNested, type NestedArray } from './nested.ts';
import { type Dims, formatSpec, type Spec } from './spec.ts';

/** What may be fed to an input: row-major values, the same with their shape, nested arrays, or one number. */
export type Feed =
  | RunInput
  | { readonly data: RunInput; readonly shape: readonly number[] }
  | NestedArray
  | number
  | boolean;

export interface BoundFeeds {
  readonly dims: Dims;
  readonly values: Readonly<Record<string, RunInput>>;
}

interface Given {
  readonly name: string;
  readonly spec: Spec;
  readonly values: RunInput;
  /** Null when only the number of elements is known. */
  readonly shape: readonly number[] | null;
}

/**
 * Binds feeds to specs: one for each input and no others; all inputs agree on the named dimensions. Throws HDL1001 with
 * the entry, the input, what was expected and what was given.
 */
export function bindFeeds(
  entry: string,
  specs: Readonly<Record<string, Spec>>,
  feeds: Readonly<Record<string, unknown>>,
): BoundFeeds {
  checkNames(entry, specs, feeds);
  const given = Object.entries(specs).map(([name, spec]) => readFeed(entry, name, spec, feeds[name]));
  const bound: Bound = new Map();
  for (const g of given) if (g.shape !== null) bind(entry, bound, g, g.shape);
  // Lengths alone tell a size when one name is left; binding one input may leave another with one.
  let waiting = given.filter((g) => g.shape === null);
  while (waiting.length > 0) {
    const next = waiting.find((g) => unknownDims(g, bound).length <= 1);
    if (next === undefined) throw ambiguous(entry, waiting[0]!, unknownDims(waiting[0]!, bound));
    bind(entry, bound, next, shapeFromLength(entry, next, bound));
    waiting = waiting.filter((g) => g !== next);
  }
  return {
    dims: dimsOf(bound),
    values: Object.fromEntries(given.map((g) => [g.name, g.values])),
  };
}

/** Rows for an input: all values, row-major, and the shape of one row. */
export interface RowsFeed {
  readonly values: RunInput;
  readonly shape: readonly number[];
}

/**
 * Binds rows to specs, of which each run takes `batch`: like `bindFeeds`, where the first dimension of every input is that of
 * the rows. Throws HDL1001.
 */
export function bindRows(
  entry: string,
  specs: Readonly<Record<string, Spec>>,
  feeds: Readonly<Record<string, unknown>>,
  batch: number,
): { readonly dims: Dims; readonly rows: Readonly<Record<string, RowsFeed>> } {
  checkNames(entry, specs, feeds);
  const bound: Bound = new Map();
  const rows = Object.entries(specs).map(([name, spec]) => {
    const g = readFeed(entry, name, spec, feeds[name]);
    const inner = spec.shape.slice(1);
    if (g.shape === null && inner.some((d) => typeof d === 'string')) {
      throw ambiguous(
        entry,
        g,
        inner.filter((d) => typeof d === 'string'),
      );
    }
    const shape = g.shape === null ? (inner as number[]) : g.shape.slice(1);
    bind(entry, bound, g, [batch, ...shape]);
    return [name, { values: g.values, shape }] as const;
  });
  return { dims: dimsOf(bound), rows: Object.fromEntries(rows) };
}

/** Sizes of named dimensions, and the input that each was first seen in. */
type Bound = Map<string, { readonly size: number; readonly by: string }>;

function dimsOf(bound: Bound): Dims {
  return Object.fromEntries([...bound].map(([name, { size }]) => [name, size]));
}

function bind(entry: string, bound: Bound, g: Given, shape: readonly number[]): void {
  const { spec } = g;
  const fits =
    shape.length === spec.shape.length &&
    spec.shape.every((d, i) => (typeof d === 'string' ? shape[i]! >= 1 : d === shape[i]));
  if (!fits) throw wrongShape(entry, g, `has shape [${shape.join(', ')}]`);
  spec.shape.forEach((d, i) => {
    if (typeof d !== 'string') return;
    const other = bound.get(d);
    if (other !== undefined && other.size !== shape[i]) {
      throw runtimeError('HDL1001', {
        what: `'${entry}' was fed '${other.by}' with ${d} = ${other.size} and '${g.name}' with ${d} = ${shape[i]}`,
        rule: `all inputs of a run agree on '${d}'`,
        hint: `feed as many ${d} elements to each input`,
      });
    }
    if (other === undefined) bound.set(d, { size: shape[i]!, by: g.name });
  });
}

function checkNames(
  entry: string,
  specs: Readonly<Record<string, Spec>>,
  feeds: Readonly<Record<string, unknown>>,
): void {
  const expected = Object.entries(specs).map(([name, spec]) => `'${name}' ${formatSpec(spec)}`);
  const inputs = expected.length > 0 ? `its inputs are ${expected.join(', ')}` : 'it has no inputs';
  for (const name of Object.keys(feeds)) {
    if (Object.hasOwn(specs, name)) continue;
    const near = nearestName(name, Object.keys(specs));
    throw runtimeError('HDL1001', {
      what: `entry '${entry}' has no input '${name}'`,
      rule: 'a run gets exactly the inputs that its entry declares',
      hint: near === null ? inputs : `did you mean '${near}'? ${inputs}`,
    });
  }
  for (const [name, spec] of Object.entries(specs)) {
    if (feeds[name] !== undefined) continue;
    throw runtimeError('HDL1001', {
      what: `input '${name}' of entry '${entry}' is missing, expected ${formatSpec(spec)}`,
      rule: 'a run gets exactly the inputs that its entry declares',
      hint: inputs,
    });
  }
}

function readFeed(entry: string, name: string, spec: Spec, feed: unknown): Given {
  if (typeof feed === 'number') return { name, spec, values: [feed], shape: [] };
  if (typeof feed === 'boolean') return { name, spec, values: [Number(feed)], shape: [] };
  if (Array.isArray(feed)) {
    const isNested = Array.isArray(feed[0]) || ArrayBuffer.isView(feed[0]);
    if (!isNested) return { name, spec, values: feed, shape: spec.shape.length === 1 ? [feed.length] : null };
    const { values, shape } = flatten(entry, name, feed);
    return { name, spec, values, shape };
  }
  if (isShaped(feed)) {
    const { data, shape } = feed;
    const elements = shape.reduce((n, d) => n * d, 1);
    if (data.length !== elements) {
      throw runtimeError('HDL1001', {
        what: `input '${name}' of entry '${entry}' has shape [${shape.join(', ')}] but ${data.length} elements`,
        rule: `a value of that shape has ${elements} elements`,
        hint: 'check the shape that goes with the data',
      });
    }
    return { name, spec, values: data, shape };
  }
  // Whatever else it is, the runtime says why it is not accepted.
  return { name, spec, values: feed as RunInput, shape: null };
}

function isShaped(feed: unknown): feed is { readonly data: RunInput; readonly shape: readonly number[] } {
  return typeof feed === 'object' && feed !== null && 'data' in feed && 'shape' in feed;
}

function flatten(entry: string, name: string, nested: NestedArray): Flat {
  return flattenNested(nested, (where, shape) =>
    runtimeError('HDL1001', {
      what: `input '${name}' of entry '${entry}' is a ragged array: ${where}`,
      rule: `from its first rows it has shape [${shape.join(', ')}]`,
      hint: 'give all rows the same length',
    }),
  );
}

function unknownDims(g: Given, bound: ReadonlyMap<string, unknown>): string[] {
  return [...new Set(g.spec.shape.filter((d) => typeof d === 'string' && !bound.has(d)))] as string[];
}

function shapeFromLength(entry: string, g: Given, bound: ReadonlyMap<string, { size: number }>): number[] {
  const { shape } = g.spec;
  const length = (g.values as ArrayLike<unknown> | null)?.length;
  if (typeof length !== 'number') throw wrongShape(entry, g, `is ${describe(g.values)}`);
  const [unknown] = unknownDims(g, bound);
  const known = shape.reduce<number>(
    (n, d) => n * (typeof d === 'string' ? (bound.get(d)?.size ?? 1) : d),
    1,
  );
  // A name may stand twice in a shape: then the length tells a power of its size.
  const times = shape.filter((d) => d === unknown).length;
  const size = unknown === undefined ? 1 : Math.round((length / known) ** (1 / times));
  if (known * (unknown === undefined ? 1 : size ** times) !== length || size < 1) {
    throw wrongShape(entry, g, `has ${length} elements`);
  }
  return shape.map((d) => (typeof d === 'string' ? (bound.get(d)?.size ?? size) : d));
}

function wrongShape(entry: string, g: Given, is: string): Error {
  const names = g.spec.shape.filter((d) => typeof d === 'string');
  return runtimeError('HDL1001', {
    what: `input '${g.name}' of entry '${entry}' ${is}, expected ${formatSpec(g.spec)}`,
    rule:
      names.length > 0
        ? `every dimension but ${[...new Set(names)].map((n) => `'${n}'`).join(', ')} is fixed`
        : 'every dimension is fixed',
    hint: 'check the order of dimensions, and that the data is a whole number of rows; one row needs its first dimension too',
  });
}

function ambiguous(entry: string, g: Given, names: readonly string[]): Error {
  return runtimeError('HDL1001', {
    what: `input '${g.name}' of entry '${entry}' (${formatSpec(g.spec)}) was fed without a shape`,
    rule: `its length does not tell ${names.map((n) => `'${n}'`).join(' and ')} apart`,
    hint: 'feed { data, shape }',
  });
}

function describe(value: unknown): string {
  if (value === null || typeof value !== 'object') return `${value}`;
  return `a ${value.constructor?.name ?? 'object'}`;
}
