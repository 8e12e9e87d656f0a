// Every pass on random graphs: types, inputs and outputs stay (verified after each pass), values stay, and a second run of
// the same pass changes nothing. Gradients of random graphs agree with differences.

import fc from 'fast-check';
import t from 'tap';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import { simplifyAlgebra } from '../../compiler/passes/algebra.ts';
import { checkNumerics } from '../../compiler/passes/check-numerics.ts';
import { mergeCommonSubexpressions } from '../../compiler/passes/cse.ts';
import { foldConstants } from '../../compiler/passes/fold.ts';
import { legalize } from '../../compiler/passes/legalize.ts';
import { type GraphPass, runPasses } from '../../compiler/passes/manager.ts';
import { standardPasses } from '../../compiler/passes/pipeline.ts';
import { splitReductions } from '../../compiler/passes/split-reductions.ts';
import { centralDifference } from '../support/gradcheck.ts';
import { mismatches } from '../support/passes.ts';
import { seededRandom } from '../support/random.ts';
import { type RandomGraph, randomGraph } from '../support/random-graph.ts';

const seed = 20240607;
const verified = { verify: true, now: () => 0 };

/** Relative errors allowed: 0 asks for the same bits. Sums in another order and x² for pow round differently. */
const passes: readonly (readonly [GraphPass, number])[] = [
  [foldConstants, 1e-12],
  [mergeCommonSubexpressions, 0],
  [simplifyAlgebra, 1e-12],
  [legalize, 0],
  [splitReductions, 1e-12],
  [checkNumerics, 0],
];

for (const [pass, tolerance] of passes) {
  t.test(`${pass.name} keeps values, types and itself (seed ${seed})`, async (t) => {
    const property = fc.property(randomGraph(), ({ graph, values }) => {
      const after = runPasses(graph, [pass], verified);
      const wrong = mismatches(graph, after, { inputs: values }, tolerance);
      if (wrong.length > 0) throw new Error(JSON.stringify(wrong.slice(0, 3)));
      if (pass !== checkNumerics && pass.run(after) !== after)
        throw new Error('a second run changes the graph');
    });
    t.doesNotThrow(() => fc.assert(property, { seed, numRuns: 60 }));
  });
}

t.test(`all passes in a row, with checks (seed ${seed})`, async (t) => {
  const property = fc.property(
    randomGraph({ maxSteps: 20 }),
    fc.boolean(),
    ({ graph, values }, checkNumerics) => {
      const after = runPasses(graph, standardPasses({ checkNumerics }), verified);
      const wrong = mismatches(graph, after, { inputs: values }, 1e-11);
      if (wrong.length > 0) throw new Error(JSON.stringify(wrong.slice(0, 3)));
    },
  );
  t.doesNotThrow(() => fc.assert(property, { seed, numRuns: 60 }));
});

/** d loss(x + s·v)/ds at 0, by differences, beside gradient · v. */
function directional({ graph, values, wrt }: RandomGraph): {
  found: number;
  expected: number;
  uncertainty: number;
} {
  const random = seededRandom(seed);
  const directions = wrt.map((x) => values[x.name!]!.data.map(() => random.uniform(-1, 1)));
  const run = (s: number): ReturnType<typeof interpretGraph>['outputs'] => {
    const moved = wrt.map((x, i) => [
      x.name!,
      { type: x.type, data: values[x.name!]!.data.map((v, j) => v + s * directions[i]![j]!) },
    ]);
    return interpretGraph(graph, { inputs: { ...values, ...Object.fromEntries(moved) } }).outputs;
  };
  const outputs = run(0);
  const difference = centralDifference((s) => run(s)['loss']!.data[0]!, 0);
  const found = wrt.reduce(
    (sum, x, i) => sum + outputs[`d${x.name}`]!.data.reduce((a, g, j) => a + g * directions[i]![j]!, 0),
    0,
  );
  return { found, expected: difference.value, uncertainty: difference.uncertainty };
}

t.test(`gradients of random graphs agree with differences (seed ${seed})`, async (t) => {
  let smooth = 0;
  const property = fc.property(randomGraph(), (made) => {
    const { found, expected, uncertainty } = directional(made);
    const scale = Math.max(1, Math.abs(expected));
    if (uncertainty > 1e-4 * scale) return; // a kink within the step
    smooth++;
    const off = Math.abs(found - expected);
    if (!(off <= 1e-6 * scale + 3 * uncertainty))
      throw new Error(`gradient ${found}, differences ${expected}`);
  });
  t.doesNotThrow(() => fc.assert(property, { seed, numRuns: 80 }));
  t.ok(smooth > 60, `${smooth} of 80 graphs are smooth`);
});
