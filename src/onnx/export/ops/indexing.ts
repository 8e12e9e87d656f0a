// Gathering and scattering rows.

import type { ExportCall, ExportRule, Name } from '../call.ts';

/** Dimensions of the value with the one that is indexed right after the batch; and back. */
function orders(
  rank: number,
  axis: number,
  batch: number,
): { to: number[]; back: (indices: number) => number[] } {
  const all = Array.from({ length: rank }, (_, d) => d);
  const between = all.slice(batch, axis);
  return {
    to: [...all.slice(0, batch), axis, ...between, ...all.slice(axis + 1)],
    // [b, j…, a, c] to [b, a, j…, c]
    back: (indices) => {
      const total = rank - 1 + indices;
      const moved = Array.from({ length: total }, (_, d) => d);
      const [b, j, a] = [batch, indices, between.length];
      return [
        ...moved.slice(0, b),
        ...moved.slice(b + j, b + j + a),
        ...moved.slice(b, b + j),
        ...moved.slice(b + j + a),
      ];
    },
  };
}

function gather(c: ExportCall): Name {
  const [axis, batch] = [c.int('axis'), c.int('batch')];
  if (batch === 0) return c.result('Gather', [c.x(0), c.x(1)], { axis });
  const { to, back } = orders(c.shapeOf(0).length, axis, batch);
  const indices = c.shapeOf(1);
  const each = c.cast(c.reshape(c.x(1), [...indices, 1]), 'int64');
  const found = c.emit('GatherND', [c.transpose(c.x(0), to), each], { batch_dims: batch });
  return c.result('Transpose', [found], { perm: back(indices.length - batch) });
}

/** Batch positions beside the indices, since ScatterND knows no batch. */
function coordinates(c: ExportCall, batch: number): Name {
  const shape = c.shapeOf(0);
  const own = c.cast(c.reshape(c.x(0), [...shape, 1]), 'int64');
  if (batch === 0) return own;
  const counts = Array.from({ length: batch }, (_, d) => {
    const n = shape[d]!;
    const along = [...shape.map((_, e) => (e === d ? n : 1)), 1];
    const count = c.int64(
      Array.from({ length: n }, (_, i) => i),
      along,
    );
    return c.emit('Expand', [count, c.int64([...shape, 1])]);
  });
  return c.emit('Concat', [...counts, own], { axis: shape.length });
}

function scatterAdd(c: ExportCall): Name {
  const [axis, batch] = [c.int('axis'), c.int('batch')];
  const indices = c.shapeOf(0);
  const { to, back } = orders(c.shape.length, axis, batch);
  // `back` says where each dimension of [b, j…, a, c] comes to lie in the updates: its inverse brings them there.
  const there = back(indices.length - batch);
  const order = there.map((_, d) => there.indexOf(d));
  const zeros = c.emit('Expand', [c.scalar(0), c.int64(to.map((d) => c.shape[d]!))]);
  const sums = c.emit('ScatterND', [zeros, coordinates(c, batch), c.transpose(c.x(1), order)], {
    reduction: 'add',
  });
  return c.result('Transpose', [sums], { perm: to.map((_, d) => to.indexOf(d)) });
}

export const indexingRules: Readonly<Record<string, ExportRule>> = { gather, scatterAdd };
