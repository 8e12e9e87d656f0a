// cold: how long a program takes from the call that makes it to the end of its first training step, in a new process that has
// compiled nothing yet: the compiler runs in code that the engine has not optimised. Each start has a process of its own.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from '../../build/test/bench-support/statistics.js';
import { fixed, printTable } from '../table.mjs';

const nets = [
  { name: 'resnet8', title: 'ResNet-8, batch 64' },
  { name: 'resnet20', title: 'ResNet-20, batch 64' },
];
const threads = 2;

/** Stages of `program.timings` by what they belong to; all others are passes. */
const parts = ['trace', 'verify', 'passes', 'lower', 'emit', 'begin code', 'schedule', 'load'];

export const cold = {
  about: 'from the call that makes a program to its first step, in new processes: ResNet-8 and ResNet-20',
  run,
};

async function run({ rounds, relaxed }) {
  const starts = new Map(nets.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const { name } of nets) starts.get(name).push(start(name, relaxed));
  const rows = nets.map(({ name, title }) => summary(title, starts.get(name)));
  printTable(
    ['first step, ms', 'median', 'fastest', 'processor', 'second step', 'import', ...parts],
    rows.map((r) => [
      r.name,
      ...[r.medianMs, r.fastestMs, r.processorMs, r.secondMs, r.importMs].map((ms) => fixed(ms, 0)),
      ...parts.map((part) => fixed(r.partsMs[part], 0)),
    ]),
  );
  console.log('  all but `fastest` are medians; stages are those of program.timings');
  return rows;
}

function start(name, relaxed) {
  const file = fileURLToPath(new URL('../first-step.mjs', import.meta.url));
  const args = [file, name, String(threads), relaxed ? 'fused' : 'plain'];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

function summary(name, starts) {
  const ofEach = (f) => median(starts.map(f));
  const partOf = (stage) => (parts.includes(stage) ? stage : 'passes');
  const partMs = (part) => (start) =>
    start.stages.reduce((sum, { name: stage, ms }) => (partOf(stage) === part ? sum + ms : sum), 0);
  return {
    name,
    medianMs: ofEach((s) => s.firstMs),
    fastestMs: Math.min(...starts.map((s) => s.firstMs)),
    processorMs: ofEach((s) => s.processorMs),
    secondMs: ofEach((s) => s.secondMs),
    importMs: ofEach((s) => s.importMs),
    partsMs: Object.fromEntries(parts.map((part) => [part, ofEach(partMs(part))])),
  };
}
