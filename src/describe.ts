// A plan in a few lines: what a person wants to know after a compilation.
//
//   train(batch=64): 61 kernels in 142 steps, 12 barriers on 2 workers
//     memory  8.1 MiB arena, 0.3 MiB variables, 12 KiB constants; code 45 KiB
//     time    trace 12 ms, simplify 40 ms, lower 55 ms, …; 320 ms in all

import type { Timing } from '../compiler/compile.ts';
import { elementCount } from '../compiler/graph/types.ts';
import type { Plan } from '../runtime/plan.ts';
import { elementBytes } from '../runtime/tensor.ts';

/** Lines about a plan and how long each stage took. */
export function describePlan(title: string, plan: Plan, threads: number, timings: readonly Timing[]): string {
  const { manifest, code } = plan;
  const { kernels, steps, schedules, variables } = manifest;
  const byWorkers = [...schedules].sort((a, b) => a.workers - b.workers);
  const schedule = byWorkers.filter((s) => s.workers <= threads).at(-1) ?? byWorkers[0];
  const barriers = schedule?.lists[0]?.filter((item) => item.do === 'barrier').length ?? 0;
  const workers = schedule?.workers ?? 1;
  const bytes = variables.reduce(
    (n, v) => n + elementCount(v.shape) * elementBytes[v.dtype] * (v.updated ? 2 : 1),
    0,
  );
  const total = timings.reduce((ms, t) => ms + t.ms, 0);
  // The stages that a person may wonder about: those that took a twentieth of the time or more.
  const slow = timings.filter((t) => t.ms >= total / 20).map((t) => `${t.name} ${formatMs(t.ms)}`);
  return [
    `${title}: ${count(kernels.length, 'kernel')} in ${count(steps.length, 'step')}, ${count(barriers, 'barrier')} on ${count(workers, 'worker')}`,
    `  memory  ${formatBytes(manifest.arenaBytes)} arena, ${formatBytes(bytes)} variables, ${formatBytes(manifest.constantBytes)} constants; code ${formatBytes(code.length)}`,
    `  time    ${slow.join(', ')}; ${formatMs(total)} in all`,
  ].join('\n');
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

/** `640 B`, `12.5 KiB`, `8.1 MiB` */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function formatMs(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
