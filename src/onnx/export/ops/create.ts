// Values that are made of nothing, spread, or refused.

import { elementCount } from '../../../../compiler/graph/types.ts';
import type { ExportCall, ExportRule, Name } from '../call.ts';

/** Of dimensions of one element, where those of the operand are among those of the result. */
export function thinShape(c: Pick<ExportCall, 'shape' | 'ints' | 'shapeOf'>): number[] {
  const dims = c.ints('dims');
  return c.shape.map((_, d) => (dims.includes(d) ? c.shapeOf(0)[dims.indexOf(d)]! : 1));
}

const refused =
  (rule: string, hint: string): ExportRule =>
  (c) =>
    c.refuse(rule, hint);

const noRandom = refused(
  'ONNX has no random bits that follow from a key',
  'export an entry that draws nothing: one without training, whose dropout lets everything through',
);

export const createRules: Readonly<Record<string, ExportRule>> = {
  iota: (c) => {
    const dim = c.int('dim');
    const n = c.shape[dim]!;
    const along = c.reshape(
      c.cast(c.int64(Array.from({ length: n }, (_, i) => i)), c.dtype),
      c.shape.map((_, d) => (d === dim ? n : 1)),
    );
    return c.result('Expand', [along, c.int64(c.shape)]);
  },
  broadcastInDim: (c): Name => {
    const thin = thinShape(c);
    const isSame = thin.length === c.shapeOf(0).length && thin.every((n, d) => n === c.shapeOf(0)[d]);
    const x = isSame || elementCount(c.shapeOf(0)) === 1 ? c.x(0) : c.reshape(c.x(0), thin);
    return c.result('Expand', [x, c.int64(c.shape)]);
  },
  bitcast: refused(
    'ONNX has no operator that reads the bits of one type as another',
    'export an entry without it',
  ),
  randomBits: noRandom,
  foldIn: noRandom,
};
