// gemm, conv, shapes: programs of one contraction through the normal compiler. GFLOP/s of the definition (two operations per
// multiply-add), and its ratio to the peak of multiply-add: the median of the ratios round by round, and the best of the
// rounds over the best peak, which other work on the machine disturbs least. What counts is the time in kernels: of
// the contraction's own steps when it stands in a net, of all steps when it is alone.

import {
  contraction,
  contractionMs,
  describeShape,
  drawShapes,
  flopsOf,
} from '../../build/test/bench-support/contractions.js';
import { interleave, median, medianRatio, quantile } from '../../build/test/bench-support/statistics.js';
import { workerCounts } from '../ceilings.mjs';
import { profiled } from '../profiles.mjs';
import { fixed, printTable } from '../table.mjs';

async function contender(shape, where, workers, relaxed) {
  const { program, feeds } = contraction(shape, where, { threads: workers, relaxed });
  const profile = await profiled(program, 'run', feeds);
  return {
    name: `${describeShape(shape)} ${where} ${workers}`,
    sample: async () => flopsOf(shape) / contractionMs(await profile(), where) / 1e6,
    end: () => program.dispose(),
  };
}

/**
 * Each shape in each of the surroundings on each worker count, against the peaks. `bestPeaks`, by worker count, grows with
 * every call that is given the same one.
 */
async function measure(shapes, places, { ceilings, relaxed, rounds }, bestPeaks = new Map()) {
  const contenders = workerCounts.map((workers) => ({
    name: `peak ${workers}`,
    sample: () => ceilings.peak(workers),
    end: () => {},
  }));
  for (const shape of shapes)
    for (const [where, workers] of places) contenders.push(await contender(shape, where, workers, relaxed));
  const samples = await interleave(rounds, contenders);
  for (const { end } of contenders) await end();
  for (const workers of workerCounts) {
    const best = Math.max(bestPeaks.get(workers) ?? 0, ...samples.get(`peak ${workers}`));
    bestPeaks.set(workers, best);
  }
  return shapes.map((shape) => ({
    shape: describeShape(shape),
    flops: flopsOf(shape),
    results: places.map(([where, workers]) => {
      const own = samples.get(`${describeShape(shape)} ${where} ${workers}`);
      const ratio = medianRatio(own, samples.get(`peak ${workers}`));
      return { where, workers, gflops: median(own), best: Math.max(...own), ratio };
    }),
  }));
}

const headOf = (places) =>
  places.flatMap(([where, workers]) => [`${where}, ${workers}w: GFLOP/s`, '÷ peak', 'best ÷']);

/** `bestRatio`: the best round over the best peak of the whole suite. */
function addBest(rows, bestPeaks) {
  for (const { results } of rows) for (const r of results) r.bestRatio = r.best / bestPeaks.get(r.workers);
}

function print(rows, places) {
  const cells = ({ results }) =>
    results.flatMap((r) => [fixed(r.gflops), fixed(r.ratio, 3), fixed(r.bestRatio, 3)]);
  printTable(
    ['', ...headOf(places)],
    rows.map((row) => [row.shape, ...cells(row)]),
  );
}

async function table(shapes, places, context) {
  const bestPeaks = new Map();
  const rows = await measure(shapes, places, context, bestPeaks);
  addBest(rows, bestPeaks);
  print(rows, places);
  return rows;
}

export const gemm = {
  about: 'matrix products of 256³, 512³, 1024³: GFLOP/s and ratio to peak',
  run: (context) =>
    table(
      [256, 512, 1024].map((n) => ({ kind: 'matmul', m: n, n, k: n })),
      workerCounts.map((workers) => ['alone', workers]),
      context,
    ),
};

const parts = ['forward', 'input gradient', 'weight gradient'];

export const conv = {
  about: '3 × 3 convolutions of ResNet-8 and both gradients: GFLOP/s and ratio to peak',
  run: (context) =>
    table(
      [
        [32, 16],
        [16, 32],
        [8, 64],
      ].flatMap(([size, channels]) =>
        parts.map((part) => ({
          kind: 'conv',
          part,
          batch: 64,
          size,
          from: channels,
          to: channels,
          kernel: 3,
          stride: 1,
        })),
      ),
      [...workerCounts.map((workers) => ['in a net', workers]), ['alone', 1]],
      context,
    ),
};

export const shapes = {
  about: '50 drawn contractions and convolutions (--seed): distribution of their ratio to peak',
  async run(context) {
    const drawn = drawShapes(context.seed, context.count);
    console.log(`  seed ${context.seed}`);
    const places = [
      ['in a net', 1],
      ['alone', 1],
    ];
    const rows = [];
    const bestPeaks = new Map();
    const rounds = Math.min(context.rounds, 3);
    for (const shape of drawn)
      rows.push(...(await measure([shape], places, { ...context, rounds }, bestPeaks)));
    addBest(rows, bestPeaks);
    print(rows, places);
    const spread = places.flatMap(([where], p) =>
      ['ratio', 'bestRatio'].map((key) => {
        const ratios = rows.map((row) => row.results[p][key]);
        return { where, key, quantiles: [0, 0.1, 0.25, 0.5, 0.75, 0.9, 1].map((q) => quantile(ratios, q)) };
      }),
    );
    console.log();
    printTable(
      ['ratio to peak', 'least', '10 %', '25 %', 'median', '75 %', '90 %', 'most'],
      spread.map((s) => [
        `${s.where}${s.key === 'ratio' ? '' : ', best'}`,
        ...s.quantiles.map((q) => fixed(q, 3)),
      ]),
    );
    return { seed: context.seed, rows, spread };
  },
};
