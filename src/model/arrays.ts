// What a person hands to `fit`: arrays of examples. Here they become rows of the dtype and size that the model's entries
// expect, or an error in the data's own terms (HDL0016).

import { compilerError } from '../../compiler/graph/errors.ts';
import { type DType, elementCount, type Shape } from '../../compiler/graph/types.ts';
import type { Rows } from '../data/batches.ts';
import type { Feed } from '../feeds.ts';
import { flattenNested } from '../nested.ts';

/** One input or target of a model, per example: without the dimension of the batch. */
export interface ExampleSpec {
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface ExampleRows extends Rows {
  readonly count: number;
}

/**
 * Rows of `examples`. `what` names it in errors: `x`, `validation y`. Classes may come as any integers; f32 must be
 * Float32Array, Float64Array or plain numbers, since bytes that were never scaled are a classic mistake.
 */
export function toRows(what: string, spec: ExampleSpec, examples: Feed): ExampleRows {
  const rowSize = elementCount(spec.shape);
  const { values, shape } = read(what, examples);
  const wanted = `[examples${spec.shape.map((d) => `, ${d}`).join('')}]`;
  const fail = (is: string, rule: string, hint: string): never => {
    throw compilerError('HDL0016', { what: `${what} ${is}`, rule, hint });
  };
  if (values.length === 0) fail('is empty', 'there is at least one example', 'check how the data was read');
  if (shape !== null && shape.slice(1).join() !== spec.shape.join()) {
    fail(`has shape [${shape.join(', ')}]`, `its shape is ${wanted}`, shapeHint(shape, spec));
  }
  if (values.length % rowSize !== 0) {
    fail(
      `has ${values.length} elements`,
      `its shape is ${wanted}, so ${rowSize} for each example`,
      'check that rows are whole, and that it goes with this model',
    );
  }
  const data = convert(what, spec.dtype, values);
  return { data, rowSize, count: data.length / rowSize };
}

function convert(what: string, dtype: DType, values: ArrayLike<number>): Rows['data'] {
  if (dtype === 'f32') {
    if (values instanceof Float32Array) return values;
    if (ArrayBuffer.isView(values) && !(values instanceof Float64Array)) {
      throw compilerError('HDL0016', {
        what: `${what} is ${describe(values)}`,
        rule: 'numbers that a net computes with are f32',
        hint: 'pictures: data.normalize(bytes); other values: Float32Array.from(values)',
      });
    }
    return Float32Array.from(values);
  }
  const make = { i32: Int32Array, u32: Uint32Array, bool: Uint8Array, u8: Uint8Array }[dtype];
  if (values instanceof make) return values;
  const data = make.from(values);
  const wrong = data.findIndex((v, i) => v !== values[i]);
  if (wrong >= 0) {
    throw compilerError('HDL0016', {
      what: `${what} is ${describe(values)} with ${values[wrong]} at position ${wrong}`,
      rule: `its elements are ${dtype}: whole numbers${dtype === 'i32' ? ', for labels the number of the class' : ''}`,
      hint:
        dtype === 'i32'
          ? 'use Int32Array of class numbers; for real values use losses.meanSquaredError'
          : `use ${make.name}`,
    });
  }
  return data;
}

function read(
  what: string,
  examples: Feed,
): { readonly values: ArrayLike<number>; readonly shape: readonly number[] | null } {
  if (ArrayBuffer.isView(examples)) return { values: examples as unknown as ArrayLike<number>, shape: null };
  if (typeof examples === 'object' && 'data' in examples) {
    const { data, shape } = examples;
    if (data.length === elementCount(shape)) return { values: data as ArrayLike<number>, shape };
    throw compilerError('HDL0016', {
      what: `${what} has shape [${shape.join(', ')}] but ${data.length} elements`,
      rule: `a value of that shape has ${elementCount(shape)} elements`,
      hint: 'check the shape that goes with the data',
    });
  }
  if (!Array.isArray(examples)) {
    throw compilerError('HDL0016', {
      what: `${what} is ${examples === undefined ? 'missing' : `a ${typeof examples}`}`,
      rule: 'examples come as a typed array, nested arrays, or { data, shape }',
      hint: 'fit({ x, y }) takes both',
    });
  }
  if (typeof examples[0] === 'number' || examples.length === 0)
    return { values: examples as number[], shape: null };
  return flattenNested(examples, (where, shape) =>
    compilerError('HDL0016', {
      what: `${what} is a ragged array: ${where}`,
      rule: `from its first rows it has shape [${shape.join(', ')}]`,
      hint: 'give all rows the same length',
    }),
  );
}

function shapeHint(shape: readonly number[], { shape: wanted, dtype }: ExampleSpec): string {
  if (dtype === 'i32' && wanted.length === 0 && shape.length === 2) {
    return shape[1] === 1
      ? 'labels are a list: drop the last dimension'
      : `labels are numbers of classes; for one-hot rows say so: compile({ y: [${shape[1]}], … })`;
  }
  if (shape.join() === wanted.join()) return 'one example still has a first dimension: wrap it, [example]';
  if (elementCount(shape.slice(1)) === elementCount(wanted)) {
    return `the elements are as many: pass { data, shape: [${[shape[0], ...wanted].join(', ')}] }`;
  }
  return 'check the order of dimensions, and the last layer for targets';
}

function describe(values: ArrayLike<number>): string {
  const name = values.constructor?.name ?? 'object';
  return Array.isArray(values) ? 'an array' : `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}
