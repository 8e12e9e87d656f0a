// A plan in a few lines: what a person wants to know after a compilation.
//
//   train(batch=64): 61 kernels in 142 steps, 12 barriers on 2 workers
//     work       5,210 units; the largest step has 896
//     arena      8.1 MiB for 203 buffers of 61.2 MiB together; lower bound 8.0 MiB (+1.2 %)
//     variables  24, 0.6 MiB in both banks
//     constants  12.0 KiB
//     code       45.0 KiB of wasm (simd128)
//     time       320 ms: trace 12 ms, simplify 40 ms, lower 55 ms …

import type { Timing } from '../compiler/compile.ts';
import { elementCount } from '../compiler/graph/types.ts';
import { lowerBound } from '../compiler/schedule/print.ts';
import { barrierCount } from '../runtime/loops.ts';
import type { Plan, PlanManifest } from '../runtime/plan.ts';
import { elementBytes } from '../runtime/tensor.ts';
import { groupDigits } from './digits.ts';

/** Lines about a plan and how long each stage took. */
export function describePlan(title: string, plan: Plan, threads: number, timings: readonly Timing[]): string {
  const { manifest, code } = plan;
  const { kernels, steps, schedules, features } = manifest;
  const byWorkers = [...schedules].sort((a, b) => a.workers - b.workers);
  const schedule = byWorkers.filter((s) => s.workers <= threads).at(-1) ?? byWorkers[0];
  const barriers = barrierCount(schedule?.lists[0] ?? [], manifest.loops);
  const workers = schedule?.workers ?? 1;
  const units = steps.map((s) => s.units);
  const rows: readonly (readonly [string, string])[] = [
    ['work', `${count(sum(units), 'unit')}; the largest step has ${groupDigits(Math.max(0, ...units))}`],
    ['arena', describeArena(manifest)],
    ['variables', describeVariables(manifest)],
    ['constants', formatBytes(manifest.constantBytes)],
    [
      'code',
      `${formatBytes(code.length)} of ${[manifest.target, ...(features.length > 0 ? [`(${features.join(', ')})`] : [])].join(' ')}`,
    ],
    ['time', describeTime(timings)],
  ];
  return [
    `${title}: ${count(kernels.length, 'kernel')} in ${count(steps.length, 'step')}, ${count(barriers, 'barrier')} on ${count(workers, 'worker')}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(9)}  ${text}`),
  ].join('\n');
}

function describeArena(manifest: PlanManifest): string {
  const { arenaBytes, buffers } = manifest;
  const together = sum(buffers.map((b) => b.bytes));
  const least = lowerBound(manifest);
  const above = least > 0 ? (100 * (arenaBytes - least)) / least : 0;
  return `${formatBytes(arenaBytes)} for ${count(buffers.length, 'buffer')} of ${formatBytes(together)} together; lower bound ${formatBytes(least)} (+${above.toFixed(1)} %)`;
}

function describeVariables({ variables }: PlanManifest): string {
  const bytes = variables.map((v) => elementCount(v.shape) * elementBytes[v.dtype] * (v.updated ? 2 : 1));
  const isUpdated = variables.some((v) => v.updated);
  return `${groupDigits(variables.length)}, ${formatBytes(sum(bytes))}${isUpdated ? ' in both banks' : ''}`;
}

function describeTime(timings: readonly Timing[]): string {
  const total = sum(timings.map((t) => t.ms));
  // The stages that a person may wonder about: those that took a twentieth of the time or more.
  const slow = timings.filter((t) => t.ms >= total / 20);
  return `${formatMs(total)}: ${slow.map((t) => `${t.name} ${formatMs(t.ms)}`).join(', ')}${slow.length < timings.length ? ' …' : ''}`;
}

function sum(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0);
}

function count(n: number, what: string): string {
  return `${groupDigits(n)} ${what}${n === 1 ? '' : 's'}`;
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
