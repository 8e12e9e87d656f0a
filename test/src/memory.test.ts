// Given programs that are compiled, run and disposed again and again, when there have been many, then memory is as it was after
// some: nothing that a compilation, a plan or a worker held is kept. `npm run test:long` goes through a thousand.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import {
  entry,
  grad,
  initializers,
  matmul,
  mean,
  mul,
  program,
  square,
  sub,
  tensor,
  variable,
} from '../../src/index.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const isLong = process.env['HEDDLE_LONG'] === '1';
const [first, then] = isLong ? [300, 1000] : [60, 120];
/** What the engine may learn meanwhile; a graph and its plan take tens of KiB a cycle. */
const most = 2 * 2 ** 20;

/** A training step; shapes differ from one to the next, so that no plan is an earlier one. */
async function cycle(i: number, threads: number): Promise<void> {
  const width = 16 + (i % 50);
  const p = program(
    {
      train: entry({ x: tensor([8, width]) }, ({ x }, ctx) => {
        const w = variable('w', [width, 5], initializers.ones());
        const loss = mean(square(matmul(x, w)));
        const [gradient] = grad(loss, [w]);
        ctx.assign(w, sub(w, mul(gradient!, 0.1)));
        return { loss };
      }),
    },
    { threads },
  );
  await p.run('train', { x: new Float32Array(8 * width).fill(1) });
  await p.dispose();
}

async function heap(): Promise<number> {
  // What was disposed of is let go in turns of the event loop.
  await new Promise((resolve) => setTimeout(resolve, 20));
  collect();
  collect();
  const { heapUsed, arrayBuffers, external } = process.memoryUsage();
  return heapUsed + arrayBuffers + external;
}

for (const threads of [1, 2]) {
  t.test(
    `${threads} threads: programs compiled and disposed leave memory flat`,
    { timeout: 600_000 },
    async (t) => {
      for (let i = 0; i < first; i++) await cycle(i, threads);
      const before = await heap();
      for (let i = 0; i < then; i++) await cycle(i, threads);
      const grown = (await heap()) - before;
      t.ok(grown < most, `${grown} bytes more after ${then} programs`);
    },
  );
}
