// Random graphs with their gradients, compiled and run: interpreter, JavaScript and WebAssembly, with and without fused
// multiply-add, agree; one worker and two give the same bits; every plan is proved safe by the checker on the way.
// Failures are shrunk and printed as graphs to paste. Every graph runs as WebAssembly, and in turn as JavaScript, fused, or on
// two workers; once something has failed, in every way, so that it is found again while it shrinks.

import fc from 'fast-check';
import t from 'tap';
import { Executor } from '../../runtime/executor.ts';
import { featureObstacle, relaxedSimd } from '../../runtime/features.ts';
import { disagreements, runCompiled } from './agree.ts';
import { randomGraph } from './random-graph.ts';

const hasRelaxed = featureObstacle(relaxedSimd) === null;

const graphsPerSeed = 1000;

/** A test of 1,000 graphs of the seed; with HEDDLE_LONG of 50 seeds, `seed`, `seed` + 2, …: 50,000 graphs. */
export function testRandomGraphs(seed: number): void {
  const seeds = process.env['HEDDLE_LONG'] === '1' ? 50 : 1;
  for (let i = 0; i < seeds; i++) testSeed(seed + 2 * i);
}

function testSeed(seed: number): void {
  const title = `${graphsPerSeed} random graphs agree on every target, seed ${seed}`;
  t.test(title, { timeout: 14_400_000 }, async (t) => {
    const one = await Executor.create({ threads: 1 });
    const two = await Executor.create({ threads: 2 });
    const js = await Executor.create({ threads: 1 });
    let count = 0;
    let hasFailed = false;
    try {
      await fc.assert(
        fc.asyncProperty(randomGraph({ maxElements: 2000 }), async ({ graph, values }) => {
          const wasm = await runCompiled(graph, values, 'wasm', one);
          const problems = disagreements(graph, values, wasm).map((p) => `wasm: ${p}`);
          const isDue = (turn: number): boolean => hasFailed || count % 4 === turn;
          if (isDue(1)) {
            const source = await runCompiled(graph, values, 'js', js);
            problems.push(...disagreements(graph, values, source).map((p) => `js: ${p}`));
          }
          if (isDue(2) && hasRelaxed) {
            const fused = await runCompiled(graph, values, 'relaxed', one);
            problems.push(...disagreements(graph, values, fused).map((p) => `relaxed: ${p}`));
            if (hasFailed || count % 8 === 2) {
              const parallel = await runCompiled(graph, values, 'relaxed', two);
              problems.push(...differences(fused, parallel));
            }
          }
          if (isDue(3)) problems.push(...differences(wasm, await runCompiled(graph, values, 'wasm', two)));
          count++;
          hasFailed ||= problems.length > 0;
          if (problems.length > 0) throw new Error(problems.join('\n'));
        }),
        { seed, numRuns: graphsPerSeed, endOnFailure: false },
      );
      t.pass(`${count} graphs`);
    } finally {
      await Promise.all([one.dispose(), two.dispose(), js.dispose()]);
    }
  });
}

type Results = Readonly<Record<string, ArrayLike<number>>>;

/** Where a second worker changed a bit. */
function differences(one: Results, two: Results): string[] {
  return Object.entries(one).flatMap(([name, data]) => {
    const other = two[name]!;
    return Array.from(data).flatMap((v, i) =>
      Object.is(v, other[i]) ? [] : [`two workers: ${name}[${i}] = ${other[i]}, one worker: ${v}`],
    );
  });
}
