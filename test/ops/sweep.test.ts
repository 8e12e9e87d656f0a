// Families of ops with attributes drawn at random: results and gradients on every target against the interpreter in float64.
// `npm run test:long` draws fifty times as many.

import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { vjp } from '../../compiler/passes/grad.ts';
import { Executor } from '../../runtime/executor.ts';
import { featureObstacle, relaxedSimd } from '../../runtime/features.ts';
import { type AgreeTarget, disagreements, runCompiled } from '../support/agree.ts';
import { draw, graphOf } from '../support/evaluate-ops.ts';
import { seededRandom } from '../support/random.ts';
import { families } from '../support/sweep.ts';

const executor = await Executor.create({ threads: 2 });
t.teardown(() => executor.dispose());
const count = process.env['HEDDLE_LONG'] === '1' ? 1000 : 20;
const targets: readonly AgreeTarget[] =
  featureObstacle(relaxedSimd) === null ? ['wasm', 'js', 'relaxed'] : ['wasm', 'js'];

for (const [name, family] of Object.entries(families)) {
  t.test(`${name}: ${count} draws`, { timeout: 3_600_000 }, async (t) => {
    for (let seed = 1; seed <= count; seed++) {
      const { told, operands, build } = family(seededRandom(seed));
      const problems: string[] = [];
      try {
        const { inputs, outputs, values } = graphOf(build, operands);
        const wrt = inputs.filter((x) => x.type.dtype === 'f32');
        const ys = outputs.filter((y) => y.type.dtype === 'f32');
        const cotangents = ys.map((y, i): Node => {
          values[`c${i}`] = draw(y.type.shape, seed);
          return input(`c${i}`, y.type.shape);
        });
        const gradients = ys.length > 0 && wrt.length > 0 ? vjp(ys, cotangents, wrt) : [];
        const graph = makeGraph('sweep', {
          inputs: [...inputs, ...cotangents],
          outputs: [...outputs, ...gradients].map((node, i) => ({ name: `y${i}`, node })),
        });
        // Each draw on one target in turn.
        const target = targets[seed % targets.length]!;
        const found = disagreements(graph, values, await runCompiled(graph, values, target, executor));
        problems.push(...found.map((p) => `${target}: ${p}`));
      } catch (e) {
        problems.push((e as Error).stack ?? String(e));
      }
      t.same(problems, [], `seed ${seed}: ${told}`);
    }
  });
}
