// browser: the spiral net and ResNet-8 in a headless Chromium and in this Node, one after the other, many times. The fastest turn
// of each counts, since whatever else the machine does only adds time. Beside it: how long it takes from a page or process
// without any of its code run yet to the end of the first step, compilation included.

import * as here from '../../build/test/browser/timed.js';
import { bundle } from '../../build/test/support/bundle.js';
import { chromiumPath, noChromium, startChromium } from '../../build/test/support/chromium.js';
import { startSite } from '../../build/test/support/site.js';
import { fixed, printTable } from '../table.mjs';
import { resnet, spiral } from '../workloads.mjs';

const turnMs = 400;
/** Turns before those that count: engines compile a plan's code twice, the second time better. */
const warmUp = 3;

const contests = [
  { name: 'spiral', workload: spiral, perCall: 1, threads: [1, 2] },
  { name: 'spiral, 1000 steps a call', workload: spiral, perCall: 1000, threads: [1, 2] },
  { name: 'ResNet-8, batch 64', workload: resnet(1), perCall: 1, threads: [1, 2] },
];

export const browser = {
  about: 'the spiral net and ResNet-8: steps per second in Chromium, beside Node',
  run,
};

async function run({ rounds, relaxed }) {
  const path = chromiumPath();
  if (path === null) {
    console.log(`  ${noChromium}`);
    return [];
  }
  const files = await bundle({ page: 'test/browser/in-page.js', worker: 'runtime/worker.js' });
  files.set('index.html', '<!doctype html><script type="module" src="page.js"></script>');
  const site = await startSite(files);
  const chromium = await startChromium(path);
  const rows = [];
  try {
    console.log(`  Chromium ${chromium.version()}`);
    for (const { name, workload, perCall, threads } of contests) {
      for (const count of threads) {
        const page = await chromium.newPage();
        await page.goto(site.url('isolated', 'index.html'));
        const call = (fn, ...args) => page.evaluate(`timed.${fn}(...${JSON.stringify(args)})`);
        const there = { prepare: (...a) => call('prepare', ...a), time: (...a) => call('time', ...a) };
        const options = { threads: count, relaxed, perCall };
        rows.push({ name, threads: count, ...(await contend(workload, options, here, there, rounds)) });
        await page.close();
      }
    }
  } finally {
    await chromium.close();
    await site.close();
  }
  printTable(
    ['steps/s', 'threads', 'Node', 'Chromium', 'ratio', 'first, Node', 'first, Chromium'],
    rows.map((r) => [
      r.name,
      String(r.threads),
      fixed(r.node, 1),
      fixed(r.chromium, 1),
      `${fixed(r.chromium / r.node, 2)} ×`,
      `${fixed(r.nodeFirstMs, 0)} ms`,
      `${fixed(r.chromiumFirstMs, 0)} ms`,
    ]),
  );
  return rows;
}

/** Turn by turn; steps per second of the fastest turn of each. */
async function contend(workload, options, node, chromium, rounds) {
  const made = [];
  for (const host of [node, chromium]) {
    const { id, firstMs } = await host.prepare(workload, options);
    made.push({ host, id, firstMs, callMs: await host.time(id, 1), best: Number.POSITIVE_INFINITY });
  }
  for (let r = -warmUp; r < rounds; r++) {
    for (const m of made) {
      m.callMs = await m.host.time(m.id, Math.max(1, Math.round(turnMs / m.callMs)));
      if (r >= 0) m.best = Math.min(m.best, m.callMs);
    }
  }
  await node.end(made[0].id);
  const [a, b] = made;
  const rate = ({ best }) => (1000 * options.perCall) / best;
  return { node: rate(a), chromium: rate(b), nodeFirstMs: a.firstMs, chromiumFirstMs: b.firstMs };
}
