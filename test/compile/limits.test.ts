// Deep and large graphs: what is fused stays of a size that lowering, targets and engines can bear, and what memory cannot hold
// is refused with its name.

import t from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import type { Node } from '../../compiler/graph/ir.ts';
import * as h from '../../compiler/ops/index.ts';
import { errorOf } from '../support/error-of.ts';
import { differences, graphOf, leavesOf } from '../support/lower-graph.ts';

type Floats = Node<readonly number[], 'f32'>;

const long = 5000;

/** Compiled without verifying every level: it is about depth. */
function build(y: Node) {
  const { plan, lowered } = compileGraph(graphOf({ y }));
  return { code: plan.code.byteLength, steps: lowered.steps.length };
}

const chains: Readonly<Record<string, (x: Floats, n: number) => Node>> = {
  'arithmetic on one value': (x, n) => repeat(x, n, (y) => h.mul(y, y)),
  'arithmetic with another value': (x, n) => repeat(x, n, (y) => h.add(h.mul(y, 0.5), x) as Floats),
  functions: (x, n) => repeat(x, n, (y) => h.sin(y)),
  'views that divide': (x, n) =>
    h.neg(repeat(x, n, (y, i) => (i % 2 === 0 ? h.transpose(y, [1, 0]) : h.reshape(y, [3, 4]))) as Floats),
  joins: (x, n) => repeat(x, Math.min(n, 500), (y) => h.concat([h.neg(y), x], 0) as Floats),
};

function repeat(x: Floats, n: number, f: (y: Floats, i: number) => Node): Floats {
  let y = x;
  for (let i = 0; i < n; i++) y = f(y, i) as Floats;
  return y;
}

for (const [name, chain] of Object.entries(chains)) {
  t.test(`${name}: ${long} in a row`, async (t) => {
    const x: Floats = h.input('x', [3, 4]);
    const { code, steps } = build(chain(x, long));
    t.ok(steps > 1, `${steps} kernels`);
    t.ok(code / steps < 30_000, `${code} bytes`);
    // Around the depth at which one kernel becomes two, values are right.
    const graph = graphOf({ y: chain(x, name === 'joins' ? 20 : 420) });
    t.same(differences(graph, leavesOf(graph), 1e-4), []);
  });
}

t.test('an arena beyond 32-bit addresses is refused, with what takes most', async (t) => {
  const x = h.input('x', [1 << 14, 1 << 14]);
  const outputs = Object.fromEntries([0, 1, 2, 3, 4].map((i) => [`y${i}`, h.add(h.matmul(x, x), i)]));
  t.equal(
    errorOf(() => compileGraph(graphOf(outputs))),
    "HDL0017: entry 'test' needs 7.01 GiB of memory: arena 7.01 GiB, constants 0 bytes, variables 0 bytes; its largest" +
      " values are 'x' f32[16384, 16384] 1.00 GiB, 'y0' f32[16384, 16384] 1.00 GiB, 'y1' f32[16384, 16384] 1.00 GiB:" +
      ' a plan has at most 4.00 GiB, what 32-bit addresses reach (use a smaller batch, or compile with' +
      ' { memory: { budget } } so that values are computed again instead of kept)',
  );
});
