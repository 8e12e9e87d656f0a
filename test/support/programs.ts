// Random lowered programs for tests of scheduling: DAGs of small kernels with inputs, outputs and variables.

import fc from 'fast-check';
import type { BufferId, Lowered } from '../../compiler/schedule/lowered.ts';
import { kernelCache, ProgramBuilder, rowSumKernel, transposeKernel } from './kernels.ts';

export interface RandomCall {
  readonly kind: 'elementwise' | 'rowsum' | 'transpose';
  /** Which of the buffers that fit are read. */
  readonly picks: readonly number[];
  readonly heavy: boolean;
}

export const callArbitrary: fc.Arbitrary<RandomCall> = fc.record({
  kind: fc.constantFrom('elementwise', 'elementwise', 'elementwise', 'rowsum', 'transpose'),
  picks: fc.array(fc.nat(1000), { minLength: 1, maxLength: 3 }),
  heavy: fc.boolean(),
});

export const programArbitrary: fc.Arbitrary<Lowered> = fc
  .record({
    calls: fc.array(callArbitrary, { minLength: 5, maxLength: 40, size: 'max' }),
    side: fc.constantFrom(8, 12, 20),
  })
  .map(({ calls, side }) => randomProgram(calls, side));

/** Values of side² elements and of side elements; each call reads values made before. Deterministic. */
export function randomProgram(calls: readonly RandomCall[], side: number): Lowered {
  const b = new ProgramBuilder();
  const kernel = kernelCache();
  const sums = rowSumKernel(side, side);
  const transpose = transposeKernel(side, side);
  const variable = b.variable('w', side * side);
  const large: BufferId[] = [b.input('x', side * side), b.input('y', side * side), variable.current];
  const small: BufferId[] = [
    b.constant(
      'c',
      Array.from({ length: side }, (_, i) => i),
    ),
  ];
  const isComputed = new Set<BufferId>();
  const pick = (from: readonly BufferId[], at: number): BufferId =>
    from[from.length - 1 - (at % from.length)]!;
  calls.forEach(({ kind, picks, heavy }, i) => {
    // Mostly recent values are read, as in real programs.
    const near = picks.map((p) => (p % 3 === 0 ? p : p % 5));
    const [pool, out] = ((): [BufferId[], BufferId] => {
      if (kind === 'rowsum') return [small, b.call(sums, [pick(large, near[0]!)], `sum${i}`)];
      if (kind === 'transpose') return [large, b.call(transpose, [pick(large, near[0]!)], `turned${i}`)];
      const like = heavy || picks.length > 2 ? large : small;
      const n = like === large ? side * side : side;
      const reads = [...new Set(near.map((p) => pick(like, p)))];
      return [like, b.call(kernel(reads.length, n, heavy ? { flops: 1000 } : {}), reads, `value${i}`)];
    })();
    pool.push(out);
    isComputed.add(out);
  });
  b.call(
    kernel(2, side * side),
    [variable.current, large.at(-1) === variable.current ? large[0]! : large.at(-1)!],
    variable.next,
  );
  const outputs = [large.at(-1)!, small.at(-1)!].filter((id) => isComputed.has(id));
  for (const [i, id] of outputs.entries()) b.output(`out${i}`, id);
  return b.finish();
}
