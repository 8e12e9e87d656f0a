// Long reductions in two steps: where the cut falls, that values stay, that errors shrink.

import t from 'tap';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import { elementCount, type Shape } from '../../compiler/graph/types.ts';
import { sum } from '../../compiler/ops/broadcast.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { any, max } from '../../compiler/ops/reduce.ts';
import { splitReductions } from '../../compiler/passes/split-reductions.ts';
import { graphOf, mismatches, show } from '../support/passes.ts';
import { seededRandom } from '../support/random.ts';

/** The nodes after the input, without numbers: `reduceSum {axes = [0]} : f32[4]`. */
function split(y: Node): string[] {
  const lines = show(splitReductions.run(graphOf(y)))
    .split('\n')
    .slice(1, -1);
  return lines.map((line) => line.replace(/%\d+ = (\w+)\(.*?\)/, '$1'));
}

const image: Shape = [64, 16, 28, 28];

t.test('between axes, where they are about equally long', async (t) => {
  t.same(split(sum(input('x', image), [0, 2, 3])), [
    'reduceSum {axes = [2, 3]} : f32[64, 16]',
    'reduceSum {axes = [0]} : f32[16]',
  ]);
});

t.test('inside of an axis, with a reshape, where there is only one', async (t) => {
  t.same(split(sum(input('x', [8192, 10]), 0)), [
    'reshape {shape = [64, 128, 10]} : f32[64, 128, 10]',
    'reduceSum {axes = [1]} : f32[64, 10]',
    'reduceSum {axes = [0]} : f32[10]',
  ]);
});

t.test('again and again, until no step is long', async (t) => {
  const lines = split(sum(input('x', [2 ** 27])));
  const steps = lines.filter((l) => l.startsWith('reduceSum'));
  t.equal(steps.length, 4);
  const graph = splitReductions.run(graphOf(sum(input('x', [2 ** 27]))));
  t.equal(splitReductions.run(graph), graph, 'then it rests');
});

t.test('short reductions, and long ones of many maxima, stay', async (t) => {
  t.equal(split(sum(input('x', [4096]))).length, 1);
  t.equal(split(sum(input('x', [4099]))).length, 1, 'a prime length has no cut');
  t.equal(
    split(max(input('x', [64, 8192]), 1)).length,
    1,
    'a maximum does not round, and 64 are enough to spread',
  );
  t.equal(split(sum(input('x', [64, 8192]), 1)).length, 3, 'a sum rounds');
  t.equal(split(any(input('x', [8192], 'bool'))).length, 3);
});

t.test('values stay, and in f32 they get better', async (t) => {
  const shape = [20, 3, 10, 30];
  const random = seededRandom(5);
  const x = Float64Array.from({ length: elementCount(shape) }, () => Math.fround(random.uniform(0, 1)));
  const y = input('x', shape);
  const graph = graphOf(sum(y, [0, 2, 3]), max(y));
  const after = splitReductions.run(graph);
  t.not(after, graph);
  t.same(mismatches(graph, after, { inputs: { x } }, 1e-13), []);
  const exact = interpretGraph(graph, { inputs: { x } }).outputs['y0']!.data[0]!;
  const rounded = interpretGraph(after, { inputs: { x } }, { mode: 'f32' }).outputs['y0']!.data[0]!;
  t.ok(Math.abs(rounded - exact) / exact < 1e-6, `${rounded} for ${exact}`);
});
