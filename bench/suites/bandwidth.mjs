// chain, norm: what is bound by memory. Time in kernels, against the time that the bytes take which must move at the
// bandwidth of a stream over as much memory, measured in the same round.

import { normProgram } from '../../build/test/bench-support/norm.js';
import { interleave, median } from '../../build/test/bench-support/statistics.js';
import { chainProgram, draw } from '../../build/test/support/workloads.js';
import { workerCounts } from '../ceilings.mjs';
import { profiled } from '../profiles.mjs';
import { fixed, printTable } from '../table.mjs';
import { chain as workload } from '../workloads.mjs';

/** Bytes of all steps of a profile, each parameter once per step. */
const movedBytes = (profile) => profile.steps.reduce((n, s) => n + (s.bytes ?? 0), 0);

/** Samples a program beside a stream over `bytes`, on each worker count. */
async function measure(make, entry, feeds, bytes, { ceilings, rounds }) {
  const rows = [];
  for (const workers of workerCounts) {
    const program = make(workers);
    const profile = await profiled(program, entry, feeds);
    let last;
    const samples = await interleave(rounds, [
      { name: 'stream', sample: () => ceilings.bandwidth(bytes, workers) },
      {
        name: 'own',
        sample: async () => {
          last = await profile();
          return last.totals.walkMs;
        },
      },
    ]);
    await program.dispose();
    const rates = samples.get('own').map((ms) => bytes / ms / 1e6);
    rows.push({
      workers,
      ms: median(samples.get('own')),
      gbps: median(rates),
      stream: median(samples.get('stream')),
      ratio: median(rates.map((rate, r) => rate / samples.get('stream')[r])),
      steps: last.steps.length,
      moved: movedBytes(last),
      must: bytes,
    });
  }
  return rows;
}

export const chain = {
  about: 'tanh(sigmoid(a x + b) x + relu(x − c)) and its gradient: ns per element, GB/s against a stream',
  async run(context) {
    const feeds = { x: draw(1000, workload.n, (u) => 4 * u - 2) };
    const make = (threads) => chainProgram(workload, { threads, relaxed: context.relaxed });
    // x is read once; y and dx are written.
    const rows = await measure(make, 'run', feeds, 12 * workload.n, context);
    printTable(
      ['workers', 'kernels', 'ms', 'ns/element', 'GB/s', 'stream GB/s', 'ratio', 'moved / must'],
      rows.map((r) => [
        r.workers,
        r.steps,
        fixed(r.ms, 3),
        fixed((1e6 * r.ms) / workload.n, 3),
        fixed(r.gbps),
        fixed(r.stream),
        fixed(r.ratio, 3),
        fixed(r.moved / r.must, 2),
      ]),
    );
    return rows;
  },
};

export const norm = {
  about:
    'batch norm + ReLU + residual, forward and backward: bytes moved over bytes that must move, and time',
  async run(context) {
    const results = [];
    for (const shape of [
      [64, 16, 32, 32],
      [64, 64, 8, 8],
    ]) {
      for (const direction of ['forward', 'forward and backward']) {
        const made = normProgram(shape, direction, { threads: 1 });
        const make = (threads) =>
          normProgram(shape, direction, { threads, relaxed: context.relaxed }).program;
        const rows = await measure(make, 'run', made.feeds, made.mustMoveBytes, context);
        const least = made.leastBytes;
        results.push(...rows.map((row) => ({ shape: shape.join(' × '), direction, ...row, least })));
      }
    }
    printTable(
      [
        '',
        'workers',
        'kernels',
        'moved / must',
        'moved / least',
        'ms',
        'GB/s of what must',
        'stream GB/s',
        'ratio',
      ],
      results.map((r) => [
        `${r.shape}, ${r.direction}`,
        r.workers,
        r.steps,
        fixed(r.moved / r.must, 3),
        fixed(r.moved / r.least, 2),
        fixed(r.ms, 3),
        fixed(r.gbps),
        fixed(r.stream),
        fixed(r.ratio, 3),
      ]),
    );
    return results;
  },
};
