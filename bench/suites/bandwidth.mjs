// chain, norm: what is bound by memory. Time in kernels, against the time that the bytes take which must move at the
// bandwidth of a stream over as much memory, measured in the same round.

import { normProgram } from '../../build/test/bench-support/norm.js';
import { interleave, median } from '../../build/test/bench-support/statistics.js';
import { chainProgram, draw, elementwiseProgram } from '../../build/test/support/workloads.js';
import { workerCounts } from '../ceilings.mjs';
import { profiled } from '../profiles.mjs';
import { fixed, printTable } from '../table.mjs';
import { chain as workload } from '../workloads.mjs';

/** Bytes of all steps of a profile, each parameter once per step. */
const movedBytes = (profile) => profile.steps.reduce((n, s) => n + (s.bytes ?? 0), 0);

/** Samples a program beside a stream over `bytes`, on each worker count. */
async function measure(make, entry, feeds, bytes, { ceilings, rounds }, beside = async () => []) {
  const rows = [];
  for (const workers of workerCounts) {
    const program = make(workers);
    const profile = await profiled(program, entry, feeds);
    let last;
    const samples = await interleave(rounds, [
      ...(await beside(workers)),
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
      samples,
    });
  }
  return rows;
}

/** Elements of which argument and result stay in the first caches: what is measured there is arithmetic. */
const nearby = 4096;

/** A contender that runs a program over data that stay near; samples are ns per element. */
async function near(name, program) {
  const profile = await profiled(program, 'run', { x: draw(1000, nearby, (u) => 4 * u - 2) });
  const sample = async () => (1e6 * (await profile()).steps.reduce((ms, s) => ms + s.bestMs, 0)) / nearby;
  return { name, sample };
}

export const chain = {
  about:
    'tanh(sigmoid(a x + b) x + relu(x − c)) and its gradient: ns per element, against a stream, itself over data that stay near, and its two functions alone',
  async run(context) {
    const feeds = { x: draw(1000, workload.n, (u) => 4 * u - 2) };
    const make = (threads) => chainProgram(workload, { threads, relaxed: context.relaxed });
    // x is read once; y and dx are written.
    const options = { threads: 1, relaxed: context.relaxed };
    // The arithmetic's own ceilings: the whole chain where memory costs nothing, and its two functions alone.
    const functions = ['tanh', 'sigmoid'];
    const alone = await Promise.all([
      near('chain', chainProgram({ ...workload, n: nearby }, options)),
      ...functions.map((name) => near(name, elementwiseProgram(name, nearby, options))),
    ]);
    const measured = await measure(make, 'run', feeds, 12 * workload.n, context, () => alone);
    const rows = measured.map(({ samples, ...row }) => {
      const least = (name) => Math.min(...samples.get(name)) / row.workers;
      const own = (1e6 * Math.min(...samples.get('own'))) / workload.n;
      const functionsNs = functions.reduce((ns, f) => ns + least(f), 0);
      return {
        ...row,
        nearNs: least('chain'),
        functionsNs,
        ofNear: least('chain') / own,
        ofFunctions: functionsNs / own,
      };
    });
    printTable(
      [
        'workers',
        'kernels',
        'ms',
        'ns/element',
        'GB/s',
        'stream GB/s',
        'of stream',
        'near, ns/element',
        'of near',
        'functions alone, ns/element',
        'of functions',
        'moved / must',
      ],
      rows.map((r) => [
        r.workers,
        r.steps,
        fixed(r.ms, 3),
        fixed((1e6 * r.ms) / workload.n, 3),
        fixed(r.gbps),
        fixed(r.stream),
        fixed(r.ratio, 3),
        fixed(r.nearNs, 3),
        fixed(r.ofNear, 3),
        fixed(r.functionsNs, 3),
        fixed(r.ofFunctions, 3),
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
        const named = { shape: shape.join(' × '), direction };
        results.push(...rows.map(({ samples: _, ...row }) => ({ ...named, ...row, least })));
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
