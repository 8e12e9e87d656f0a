// Files of saved plans, mutated: bits flipped, cut, heads from other files, and files whose content was changed and whose
// checksums were made right again. Each is refused with a reason, or does what the file did that it was made of. Who also binds
// the code to the changed manifest has made another plan: where that is well-formed it does something else, inside of its own
// memory, and ends. `npm run test:long` tries 10,000; a failure names the seed that makes the mutant again.

import { fork } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { savePlans } from '../../runtime/index.ts';
import * as h from '../../src/index.ts';
import { trainPlan } from '../runtime/plans.ts';
import type { Report } from '../support/attack-plans.ts';

const script = fileURLToPath(new URL('../support/attack-plans.js', import.meta.url));
const first = Number(process.env['HEDDLE_SEED'] ?? 1);
const count = process.env['HEDDLE_LONG'] === '1' ? 10_000 : 500;
/** No mutant takes a second. */
const patienceMs = 60_000;

async function smallFiles(): Promise<Uint8Array[]> {
  const net = h.nn.sequential([
    h.nn.dense(8, { name: 'hidden' }),
    h.nn.relu(),
    h.nn.dense(3, { name: 'out' }),
  ]);
  const optimizer = h.optimizers.adam({ learningRate: 0.1 });
  const x = h.tensor(['batch', 5]);
  const mlp = h.program({
    train: h.entry(
      { x, y: h.tensor(['batch'], 'i32') },
      ({ x, y }, ctx) => {
        const loss = h.losses.softmaxCrossEntropy(net.apply(x, ctx), y);
        const params = h.parametersOf(loss);
        optimizer.update(params, h.grad(loss, params), ctx);
        return { loss };
      },
      { training: true },
    ),
    predict: h.entry({ x }, ({ x }, ctx) => ({ y: net.apply(x, ctx) })),
  });
  await mlp.compile('train', { batch: 4 });
  await mlp.compile('predict', { batch: 1 });
  await mlp.compile('predict', { batch: 6 });
  const embedding = h.nn.embedding(10, 4);
  const conv = h.program({
    apply: h.entry(
      { words: h.tensor([2, 6], 'i32'), image: h.tensor([2, 3, 8, 8]) },
      ({ words, image }, ctx) => {
        const text = h.sum(embedding.apply(words, ctx), [1]);
        const seen = h.nn.conv2d(4, 3, { padding: 'same' }).apply(image, ctx);
        return { y: h.matmul(text, h.transpose(h.mean(seen, [2, 3]))), isLarge: h.gt(seen, 0.5) };
      },
    ),
  });
  await conv.compile('apply');
  const files = [
    savePlans([await trainPlan('wasm')], ({ shape }) =>
      new Float32Array(shape.reduce((n, d) => n * d, 1)).fill(0.5),
    ),
    await mlp.save(),
    await mlp.save({ variants: true }),
    await conv.save(),
  ];
  await mlp.dispose();
  await conv.dispose();
  return files;
}

/** Reports of mutants [from, end), from processes that are ended when they hang and begun anew when they die. */
async function reportsOf(paths: readonly string[], from: number, end: number): Promise<Report[]> {
  const reports: Report[] = [];
  let next = from;
  while (next < end) {
    const reason = await new Promise<string | null>((resolve) => {
      const child = fork(script, [String(next), String(end), ...paths], {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      });
      let errors = '';
      child.stderr!.on('data', (data) => {
        errors = `${errors}${data}`.slice(-2000);
      });
      let hangs = false;
      let timer: NodeJS.Timeout;
      const watch = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          hangs = true;
          child.kill('SIGKILL');
        }, patienceMs);
      };
      watch();
      child.on('message', (message: Report | { begins: number }) => {
        watch();
        if ('begins' in message) next = message.begins;
        else {
          reports.push(message);
          next = message.seed + 1;
        }
      });
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        resolve(
          next >= end ? null : hangs ? 'it hangs' : `the process ended with ${code ?? signal}: ${errors}`,
        );
      });
    });
    if (reason === null) break;
    reports.push({ seed: next, what: 'see mutate', isResealed: true, outcome: 'failure', detail: reason });
    next++;
  }
  return reports;
}

t.test(`${count} mutants from seed ${first}`, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'plans-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const paths: string[] = [];
  for (const [i, bytes] of (await smallFiles()).entries()) {
    paths.push(join(folder, `${i}.heddle`));
    await writeFile(paths[i]!, bytes);
  }
  const reports = await reportsOf(paths, first, first + count);
  const tally = (outcome: Report['outcome']): number => reports.filter((r) => r.outcome === outcome).length;
  t.same(
    reports.filter((r) => r.outcome === 'failure').slice(0, 5),
    [],
    'nothing crashes, hangs or reaches beyond',
  );
  t.equal(reports.length, count);
  t.comment(
    ['refused', 'same', 'other', 'stopped', 'not run']
      .map((o) => `${tally(o as Report['outcome'])} ${o}`)
      .join(', '),
  );
  t.same(
    reports.filter((r) => !r.isResealed && !['refused', 'same'].includes(r.outcome)).slice(0, 5),
    [],
    'damage is refused; heads may be alike',
  );
  if (process.env['HEDDLE_REASONS'] === '1') {
    for (const r of reports) t.comment(`${r.seed} ${r.outcome}: ${r.what}: ${r.detail}`);
  }
});
