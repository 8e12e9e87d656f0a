// The examples of a model: rows of every input, and of the target, as many of each.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import type { Specs } from '../entry.ts';
import type { Feed } from '../feeds.ts';
import type { Spec } from '../spec.ts';
import { type ExampleRows, toRows } from './arrays.ts';
import { type Head, onlyOutput, weightName } from './entries.ts';
import type { ModelData } from './options.ts';

/** Rows by the name of their input; all have as many. */
export type RowsByName = Readonly<Record<string, ExampleRows & { readonly shape: readonly number[] }>>;

/** Rows of inputs and target. `prefix` goes before names in errors. Throws HDL0016. */
export function rowsOf(inputs: Specs, heads: readonly Head[], data: ModelData, prefix: string): RowsByName {
  refusePromise(`${prefix}data`, data);
  if (typeof data !== 'object' || data === null || Array.isArray(data) || ArrayBuffer.isView(data)) {
    throw compilerError('HDL0016', {
      what: `${prefix}data is ${data === undefined ? 'missing' : 'no record'}`,
      rule: 'examples come as { x, y }: inputs and targets together',
      hint: 'fit({ x, y }, { epochs: 10 })',
      loc: callerLocation(),
    });
  }
  const rows = inputRows(inputs, data.x, prefix);
  const [name, first] = Object.entries(rows)[0]!;
  const targets = heads.map(({ input, output, target }) => {
    const y = named(`${prefix}${input}`, target, targetOf(data.y, output, heads, prefix));
    if (first.count !== y.count)
      throw differentLengths(`${prefix}${name}`, first.count, `${prefix}${input}`, y.count);
    return [input, y] as const;
  });
  const { sampleWeight } = data;
  if (sampleWeight === undefined) return { ...rows, ...Object.fromEntries(targets) };
  const weights = named(`${prefix}${weightName}`, { dtype: 'f32', shape: ['batch'] }, sampleWeight);
  if (weights.count !== first.count)
    throw differentLengths(`${prefix}${name}`, first.count, `${prefix}${weightName}`, weights.count);
  return { ...rows, ...Object.fromEntries(targets), [weightName]: weights };
}

function targetOf(y: ModelData['y'], output: string, heads: readonly Head[], prefix: string): Feed {
  if (output === onlyOutput) return y as Feed;
  const given = (y ?? {}) as Readonly<Record<string, Feed>>;
  if (!Array.isArray(y) && !ArrayBuffer.isView(y) && Object.hasOwn(given, output)) return given[output]!;
  throw compilerError('HDL0016', {
    what: `${prefix}y has no '${output}'`,
    rule: 'a net with several outputs has a target for each',
    hint: `pass y: { ${heads.map((h) => h.output).join(', ')} }`,
  });
}

/** Data that is a promise was not awaited. */
function refusePromise(what: string, value: unknown): void {
  if (!(value instanceof Promise)) return;
  throw compilerError('HDL0016', {
    what: `${what} is a promise`,
    rule: 'examples are there when training begins',
    hint: 'await it: const data = await load()',
    loc: callerLocation(),
  });
}

/** Rows of inputs alone. Throws HDL0016. */
export function inputRows(inputs: Specs, x: ModelData['x'], prefix: string): RowsByName {
  refusePromise(`${prefix}x`, x);
  const names = Object.keys(inputs);
  const isRecord =
    typeof x === 'object' && x !== null && !ArrayBuffer.isView(x) && !Array.isArray(x) && !('data' in x);
  const given = isRecord ? (x as Readonly<Record<string, Feed>>) : { [names[0]!]: x as Feed };
  const unknown = Object.keys(given).find((n) => !names.includes(n));
  if (unknown !== undefined || (!isRecord && names.length > 1)) {
    throw compilerError('HDL0016', {
      what: unknown === undefined ? `${prefix}x is one array` : `${prefix}x has '${unknown}'`,
      rule: `the model's inputs are ${names.map((n) => `'${n}'`).join(', ')}`,
      hint: `pass { ${names.join(', ')} }`,
    });
  }
  const rows = names.map((name) => {
    const what = names.length === 1 && !isRecord ? `${prefix}x` : `${prefix}${name}`;
    return [name, named(what, inputs[name]!, given[name]!)] as const;
  });
  const first = rows[0]![1];
  const other = rows.find(([, r]) => r.count !== first.count);
  if (other !== undefined) throw differentLengths(rows[0]![0], first.count, other[0], other[1].count);
  return Object.fromEntries(rows);
}

function named(what: string, { dtype, shape }: Spec, examples: Feed): RowsByName[string] {
  refusePromise(what, examples);
  const rowShape = shape.slice(1) as readonly number[];
  return { ...toRows(what, { dtype, shape: rowShape }, examples), shape: rowShape };
}

function differentLengths(a: string, n: number, b: string, m: number): Error {
  return compilerError('HDL0016', {
    what: `${a} has ${n} examples and ${b} has ${m}`,
    rule: 'every example has its input and its target',
    hint: 'check that both come from the same part of the data',
  });
}
