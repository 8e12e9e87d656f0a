// Ops that move elements.

import type { Shape } from '../../../../compiler/graph/types.ts';
import type { ExportCall, ExportRule, Name } from '../call.ts';

/** As far back as an index can go: before the first element. */
const beforeFirst = -2147483648;

/** `x` with zeros, or another value, before, after and between elements; negative numbers take elements away. */
export function padded(
  c: ExportCall,
  x: Name,
  shape: Shape,
  value: Name,
  { lo, hi, interior }: { lo: readonly number[]; hi: readonly number[]; interior: readonly number[] },
): { readonly name: Name; readonly shape: Shape } {
  let name = x;
  let now = [...shape];
  interior.forEach((between, d) => {
    const n = now[d]!;
    if (between === 0 || n < 2) return;
    // [n, 1] padded to [n, between + 1] and flattened, without what follows the last element.
    const split = [...now.slice(0, d + 1), 1, ...now.slice(d + 1)];
    name = c.reshape(name, split);
    const after = split.map((_, i) => (i === d + 1 ? between : 0));
    name = c.emit('Pad', [name, c.int64([...split.map(() => 0), ...after]), value], { mode: 'constant' });
    now = [...now.slice(0, d), n * (between + 1), ...now.slice(d + 1)];
    name = c.reshape(name, now);
    const long = n * (between + 1) - between;
    name = sliced(c, name, [d], [0], [long]);
    now[d] = long;
  });
  // Grown first: what is taken away may be more than there was.
  const grown = [lo, hi].map((list) => list.map((n) => Math.max(0, n)));
  if (grown.flat().some((n) => n > 0)) {
    name = c.emit('Pad', [name, c.int64(grown.flat()), value], { mode: 'constant' });
    now = now.map((n, d) => n + grown[0]![d]! + grown[1]![d]!);
  }
  const cut = now.flatMap((_, d) => (lo[d]! < 0 || hi[d]! < 0 ? [d] : []));
  if (cut.length > 0) {
    const starts = cut.map((d) => Math.max(0, -lo[d]!));
    const ends = cut.map((d) => now[d]! - Math.max(0, -hi[d]!));
    name = sliced(c, name, cut, starts, ends);
    cut.forEach((d, i) => {
      now[d] = ends[i]! - starts[i]!;
    });
  }
  return { name, shape: now };
}

export function sliced(
  c: ExportCall,
  x: Name,
  axes: readonly number[],
  starts: readonly number[],
  ends: readonly number[],
  steps: readonly number[] = axes.map(() => 1),
): Name {
  return c.emit('Slice', [x, c.int64(starts), c.int64(ends), c.int64(axes), c.int64(steps)]);
}

export const shapeRules: Readonly<Record<string, ExportRule>> = {
  reshape: (c) =>
    c.result('Reshape', [c.x(0), c.int64(c.shape)], c.shape.includes(0) ? { allowzero: 1 } : {}),
  transpose: (c) => c.result('Transpose', [c.x(0)], { perm: c.ints('perm') }),
  reverse: (c) => {
    const axes = c.ints('axes');
    const last = axes.map(() => -1);
    return c.result('Slice', [
      c.x(0),
      c.int64(last),
      c.int64(axes.map(() => beforeFirst)),
      c.int64(axes),
      c.int64(last),
    ]);
  },
  slice: (c) => {
    const axes = c.shape.map((_, d) => d);
    const [starts, limits, strides] = ['starts', 'limits', 'strides'].map((name) => c.ints(name));
    return c.result('Slice', [c.x(0), c.int64(starts!), c.int64(limits!), c.int64(axes), c.int64(strides!)]);
  },
  pad: (c) => {
    const [lo, hi, interior] = ['lo', 'hi', 'interior'].map((name) => c.ints(name));
    const { name } = padded(c, c.x(0), c.shapeOf(0), c.x(1), { lo: lo!, hi: hi!, interior: interior! });
    return c.result('Identity', [name]);
  },
  concat: (c) =>
    c.result(
      'Concat',
      c.node.operands.map((_, i) => c.x(i)),
      { axis: c.int('axis') },
    ),
};
