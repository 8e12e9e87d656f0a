// Given a step whose input dies, when the output may take its place, then exactly that is found.

import fc from 'fast-check';
import t from 'tap';
import { parseKernel } from '../../compiler/kernel/parse.ts';
import { examineKernel } from '../../compiler/schedule/check-kernel.ts';
import { findInPlacePairs, overwritesWhatItRead } from '../../compiler/schedule/inplace.ts';
import { lifetimesOf } from '../../compiler/schedule/lifetimes.ts';
import type { Lowered } from '../../compiler/schedule/lowered.ts';
import { singlePhase } from '../../compiler/schedule/phases.ts';
import { scheduleProgram } from '../../compiler/schedule/plan.ts';
import { traceOf } from '../../compiler/schedule/trace.ts';
import {
  elementwiseKernel,
  ProgramBuilder,
  rowSumKernel,
  testTarget,
  transposeKernel,
} from '../support/kernels.ts';
import { programArbitrary } from '../support/programs.ts';

const seed = 20240615;

function pairNames(lowered: Lowered): string[] {
  return findInPlacePairs(lowered, lifetimesOf(lowered), singlePhase(lowered.steps.length)).map(
    ({ input, output }) => `${lowered.buffers[output]!.name} over ${lowered.buffers[input]!.name}`,
  );
}

t.test('an elementwise chain lives in one place', async (t) => {
  const b = new ProgramBuilder();
  const kernel = elementwiseKernel(1, 100);
  const h = b.call(kernel, [b.input('x', 100)], 'h');
  b.output('y', b.call(kernel, [h], 'y'));
  const program = b.finish();
  t.same(pairNames(program), ['h over x', 'y over h']);
  const { manifest } = scheduleProgram(program, { target: testTarget, targetKind: 'js', workers: [1, 2] });
  t.equal(manifest.arenaBytes, 400, '100 elements; a small arena is not padded to cache lines');
});

t.test('what is needed later, of another size, or read elsewhere is not overwritten', async (t) => {
  const b = new ProgramBuilder();
  const x = b.input('x', 64);
  const turned = b.call(transposeKernel(8, 8), [x], 'turned'); // reads elements that other units write
  const sums = b.call(rowSumKernel(8, 8), [turned], 'sums'); // another size
  const both = b.call(elementwiseKernel(2, 64), [turned, turned], 'both'); // the same buffer twice
  const z = b.call(elementwiseKernel(1, 64), [both], 'z'); // both is an output
  b.output('sums', sums);
  b.output('both', both);
  b.output('z', z);
  t.same(pairNames(b.finish()), []);
});

t.test('constants and variables are never overwritten', async (t) => {
  const b = new ProgramBuilder();
  const w = b.variable('w', 4);
  const c = b.constant('c', [1, 2, 3, 4]);
  b.output('y', b.call(elementwiseKernel(2, 4), [w.current, c], 'y'));
  b.call(elementwiseKernel(1, 4), [w.current], w.next);
  t.same(pairNames(b.finish()), []);
});

t.test('the condition on the kernel agrees with enumeration', async (t) => {
  const kernels = [
    elementwiseKernel(1, 70),
    elementwiseKernel(2, 128),
    elementwiseKernel(1, 128, { shift: 1 }),
    elementwiseKernel(2, 70, { shift: 4 }),
    transposeKernel(8, 8),
    transposeKernel(8, 8, 1),
    transposeKernel(1, 64, 1),
    rowSumKernel(1, 1),
    rowSumKernel(64, 1),
  ];
  for (const kernel of kernels) {
    const facts = examineKernel(kernel);
    if (facts.problem) continue;
    const out = kernel.params.length - 1;
    for (let p = 0; p < out; p++) {
      const isFound = overwritesWhatItRead(traceOf(kernel), p, out);
      t.ok(
        !isFound || facts.mayOverwrite(p, out),
        `${kernel.name}, parameter ${p}: ${isFound ? 'found' : 'not found'}`,
      );
    }
  }
});

t.test('loads in loops under a condition count, however deep', async (t) => {
  const kernel = parseKernel(`kernel "taps"
schedule ""
cost 0 flops, 0 bytes
param x: read f32[4] "x"
param y: write f32[4] "y"
unit u of 4 {
  let acc: f32 = 0.0
  for k of 3 {
    if (u + k - 1 in 0..4) {
      for c of 1 {
        set acc = add(acc, x[u + k - 1])
      }
    }
  }
  store y[u] = acc
}
`);
  const { problem, mayOverwrite } = examineKernel(kernel);
  t.equal(problem, null);
  t.notOk(mayOverwrite(0, 1), 'each element is read for its neighbours, too');
  t.notOk(overwritesWhatItRead(traceOf(kernel), 0, 1));
});

t.test('random programs: pairs hand over at one step and are in one pair only', async (t) => {
  let count = 0;
  fc.assert(
    fc.property(programArbitrary, (lowered) => {
      const lifetimes = lifetimesOf(lowered);
      const pairs = findInPlacePairs(lowered, lifetimes, singlePhase(lowered.steps.length));
      count += pairs.length;
      return (
        new Set(pairs.map((p) => p.input)).size === pairs.length &&
        new Set(pairs.map((p) => p.output)).size === pairs.length &&
        pairs.every((p) => lifetimes[p.input]!.to === p.step && lifetimes[p.output]!.from === p.step)
      );
    }),
    { seed, numRuns: 100 },
  );
  t.ok(count > 50, `${count} pairs (seed ${seed})`);
});
