// kernels WORKLOAD: where the time of a step goes. Each kernel with its share, its rates, and its ratio to the roofline:
// the time that its arithmetic takes at the peak, or its bytes at the bandwidth of a stream over as much memory as the
// plan uses, whichever is longer. Then the largest losses, each with the schedule that has it.
//
// Kernels at their fastest stand beside ceilings at their highest: other work on the machine only ever adds time. The
// time of the whole step, and what is lost between kernels, are medians.

import { writeFileSync } from 'node:fs';
import { lossesOf } from '../../build/src/profile/roofline.js';
import { interleave, median } from '../../build/test/bench-support/statistics.js';
import { profiled } from '../profiles.mjs';
import { fixed, percent, printTable } from '../table.mjs';
import { findWorkload, programOf } from '../workloads.mjs';

/** Calls of one kernel in a step, together; times are the least of all runs. */
function byKernel(profiles) {
  const kernels = new Map();
  profiles[0].steps.forEach((step, s) => {
    const found = kernels.get(step.kernel) ?? {
      name: step.kernel,
      labels: [],
      schedule: step.schedule,
      calls: 0,
      flops: 0,
      bytes: 0,
      ms: 0,
    };
    found.labels.push(step.label);
    found.calls++;
    found.flops += step.flops ?? 0;
    found.bytes += step.bytes ?? 0;
    found.ms += Math.min(...profiles.map((p) => p.steps[s].bestMs));
    kernels.set(step.kernel, found);
  });
  return [...kernels.values()];
}

function explain({ of, bound, lostMs }, ceiling, total) {
  const amount =
    bound.by === 'arithmetic'
      ? `${(of.flops / 1e6).toFixed(1)} MFLOP take ${bound.ms.toFixed(3)} ms at ${ceiling.gflops.toFixed(1)} GFLOP/s`
      : `${(of.bytes / 1e6).toFixed(2)} MB take ${bound.ms.toFixed(3)} ms at ${ceiling.gbps.toFixed(1)} GB/s`;
  const calls = of.calls === 1 ? '' : `, ${of.calls} calls`;
  return `${lostMs.toFixed(3)} ms (${percent(lostMs / total)} of all kernels) in ${of.name}${calls}\n     ${of.labels[0]}: takes ${of.ms.toFixed(3)} ms; its ${amount}\n     ${of.schedule ?? ''}`;
}

export const kernels = {
  about:
    'kernels WORKLOAD: share of each kernel, its rates and ratio to the roofline, and the largest losses',
  async run({ ceilings, relaxed, rounds, workload: name = 'resnet8', workers, top, trace }) {
    const { program, entry, feeds } = programOf(findWorkload(name), { threads: workers, relaxed });
    const profile = await profiled(program, entry, feeds);
    const memory = (await profile()).memoryBytes;
    const profiles = [];
    const samples = await interleave(rounds, [
      { name: 'gflops', sample: () => ceilings.peak(workers) },
      { name: 'gbps', sample: () => ceilings.bandwidth(memory, workers) },
      {
        name: 'own',
        sample: async () => {
          profiles.push(await profile());
          return profiles.at(-1).totals.walkMs;
        },
      },
    ]);
    await program.dispose();
    if (trace) writeFileSync(trace, JSON.stringify(profiles.at(-1).trace()));
    const highest = (key) => Math.max(...samples.get(key));
    const ceiling = { gflops: highest('gflops'), gbps: highest('gbps') };
    const stepMs = median(samples.get('own'));
    const losses = lossesOf(byKernel(profiles), ceiling);
    const total = losses.reduce((n, l) => n + l.of.ms, 0);
    const sorted = [...losses].sort((a, b) => b.of.ms - a.of.ms);
    const shown = sorted.slice(0, top);
    const { steps } = profiles[0];
    const lostShare = median(profiles.map((p) => p.totals.lostShare));
    console.log(
      `  ${name}, ${entry}: ${steps.length} steps of ${losses.length} kernels on ${workers} worker${workers > 1 ? 's' : ''}, ${fixed(stepMs, 3)} ms; ceiling ${fixed(ceiling.gflops)} GFLOP/s, ${fixed(ceiling.gbps)} GB/s over ${(memory / 2 ** 20).toFixed(1)} MiB`,
    );
    printTable(
      ['kernel', 'calls', 'ms', 'share', 'GFLOP/s', 'GB/s', 'bound by', '÷ ceiling', 'lost ms'],
      shown.map(({ of, bound, ratio, lostMs }) => [
        of.name.slice(0, 60),
        of.calls,
        fixed(of.ms, 3),
        percent(of.ms / total),
        fixed(of.flops / of.ms / 1e6),
        fixed(of.bytes / of.ms / 1e6),
        bound.by,
        fixed(ratio, 3),
        fixed(lostMs, 3),
      ]),
    );
    if (sorted.length > top) {
      const rest = sorted.slice(top).reduce((n, l) => n + l.of.ms, 0);
      console.log(`  … ${sorted.length - top} more kernels, ${fixed(rest, 3)} ms (${percent(rest / total)})`);
    }
    const bound = losses.reduce((n, l) => n + l.bound.ms, 0);
    console.log(
      `  all kernels: ${fixed(total, 3)} ms, at their ceilings ${fixed(bound, 3)} ms (ratio ${fixed(bound / total, 3)}); lost between kernels ${percent(lostShare)}`,
    );
    console.log('  largest losses:');
    losses.slice(0, 3).forEach((loss, i) => {
      console.log(`  ${i + 1}. ${explain(loss, ceiling, total)}`);
    });
    return { workload: name, workers, stepMs, ceiling, ratio: bound / total, lostShare, kernels: sorted };
  },
};
