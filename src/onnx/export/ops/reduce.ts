// Reductions.

import { type ExportCall, type ExportRule, elementIds } from '../call.ts';

const reduction =
  (opType: string): ExportRule =>
  (c) =>
    c.result(opType, [c.x(0), axesOf(c)], { keepdims: 0 });

function axesOf(c: ExportCall): string {
  return c.int64(c.ints('axes'));
}

/** Of bools: by way of 0 and 1. */
const logical =
  (opType: string): ExportRule =>
  (c) => {
    const found = c.emit(opType, [c.cast(c.x(0), 'i32'), axesOf(c)], { keepdims: 0 });
    return c.result('Cast', [found], { to: elementIds.bool });
  };

export const reduceRules: Readonly<Record<string, ExportRule>> = {
  reduceSum: reduction('ReduceSum'),
  reduceMax: reduction('ReduceMax'),
  reduceMin: reduction('ReduceMin'),
  reduceProd: reduction('ReduceProd'),
  reduceAny: logical('ReduceMax'),
  reduceAll: logical('ReduceMin'),
  argMax: (c) => {
    const index = c.emit('ArgMax', [c.x(0)], { axis: c.int('axis'), keepdims: 0 });
    return c.result('Cast', [index], { to: elementIds.i32 });
  },
};
