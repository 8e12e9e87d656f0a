// Graphs that this compiler has once got wrong, found by drawing them at random (test/support/random-agreement.ts) and kept
// as they were printed: they compile, their plans are proved safe, and all targets agree with the interpreter.

import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { parseGraph } from '../../compiler/graph/parse.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import { registry } from '../../compiler/ops/registry.ts';
import { Executor } from '../../runtime/executor.ts';
import { disagreements, runCompiled } from '../support/agree.ts';
import { seededRandom } from '../support/random.ts';

const folder = new URL('../../../test/compile/found/', import.meta.url);

for (const file of readdirSync(folder).sort()) {
  t.test(file, async (t) => {
    const graph = parseGraph(readFileSync(new URL(file, folder), 'utf8'), { ops: registry });
    const random = seededRandom(1);
    const values = Object.fromEntries(
      graph.inputs.map((n) => {
        const data = Float64Array.from({ length: elementCount(n.type.shape) }, () =>
          Math.fround(random.uniform(-1, 1)),
        );
        return [n.name ?? '', { type: n.type, data }];
      }),
    );
    for (const [target, threads] of [
      ['wasm', 1],
      ['wasm', 2],
      ['js', 1],
    ] as const) {
      const executor = await Executor.create({ threads });
      const got = await runCompiled(graph, values, target, executor);
      t.same(disagreements(graph, values, got), [], `${target}, ${threads} workers`);
      await executor.dispose();
    }
  });
}
