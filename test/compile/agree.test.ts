// 500 random graphs with their gradients: interpreter, JavaScript and WebAssembly, with and without fused multiply-add,
// agree; one worker and two give the same bits; every plan is proved safe by the checker on the way. Failures are shrunk and printed as graphs to paste.

import fc from 'fast-check';
import t from 'tap';
import { Executor } from '../../runtime/executor.ts';
import { featureObstacle, relaxedSimd } from '../../runtime/features.ts';
import { disagreements, runCompiled } from '../support/agree.ts';
import { randomGraph } from '../support/random-graph.ts';

const runs = process.env['HEDDLE_LONG'] === '1' ? 5000 : 500;
const seed = 20240607;
const hasRelaxed = featureObstacle(relaxedSimd) === null;

t.test(`${runs} random graphs agree on every target, seed ${seed}`, { timeout: 3_600_000 }, async (t) => {
  const one = await Executor.create({ threads: 1 });
  const two = await Executor.create({ threads: 2 });
  const js = await Executor.create({ threads: 1 });
  let count = 0;
  try {
    await fc.assert(
      fc.asyncProperty(randomGraph({ maxElements: 2000 }), async ({ graph, values }) => {
        const wasm = await runCompiled(graph, values, 'wasm', one);
        const problems = disagreements(graph, values, wasm).map((p) => `wasm: ${p}`);
        const source = await runCompiled(graph, values, 'js', js);
        problems.push(...disagreements(graph, values, source).map((p) => `js: ${p}`));
        const fused = hasRelaxed ? await runCompiled(graph, values, 'relaxed', one) : wasm;
        problems.push(...disagreements(graph, values, fused).map((p) => `relaxed: ${p}`));
        // A second worker changes nothing; every fourth graph shows it, the variants in turn.
        if (count % 4 === 0) {
          const isFused = hasRelaxed && count % 8 === 4;
          const parallel = await runCompiled(graph, values, isFused ? 'relaxed' : 'wasm', two);
          for (const [name, data] of Object.entries(isFused ? fused : wasm)) {
            const other = parallel[name]!;
            for (let i = 0; i < data.length; i++) {
              if (!Object.is(data[i], other[i]))
                problems.push(`two workers: ${name}[${i}] = ${other[i]}, one worker: ${data[i]}`);
            }
          }
        }
        count++;
        if (problems.length > 0) throw new Error(problems.join('\n'));
      }),
      { seed, numRuns: runs, endOnFailure: false },
    );
    t.pass(`${count} graphs`);
  } finally {
    await Promise.all([one.dispose(), two.dispose(), js.dispose()]);
  }
});
