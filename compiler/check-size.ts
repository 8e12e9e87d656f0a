// Whether a plan fits into the memory that 32-bit addresses reach. In: a plan and its buffers. Throws HDL0017 when not, naming
// what takes most, before anybody tries to load it.

import { callsOf, mostCalls } from '../runtime/loops.ts';
import type { PlanManifest } from '../runtime/plan.ts';
import { compilerError } from './graph/errors.ts';
import { formatType } from './graph/types.ts';
import type { Lowered } from './schedule/lowered.ts';

const mostBytes = 2 ** 32;

/** Arena, constants, and both banks of the variables. Throws HDL0017. */
export function checkSize(manifest: PlanManifest, { buffers }: Lowered): void {
  const calls = callsOf(manifest);
  if (calls > mostCalls) {
    throw compilerError('HDL0017', {
      what: `entry '${manifest.entry}' makes ${calls} calls of kernels in a run: ${(manifest.loops ?? []).map((l) => `'${l.label}' has ${l.length} steps of ${l.end - l.begin} calls`).join(', ')}`,
      rule: `a plan makes at most ${mostCalls} calls, since workers have their lists of calls before they start`,
      hint: 'cut the loop into pieces, and let a program run one after the other',
    });
  }
  const variables = buffers.filter((b) => b.home.kind === 'variable');
  const variableBytes = variables.reduce((n, b) => n + b.bytes, 0);
  const total = manifest.arenaBytes + manifest.constantBytes + variableBytes;
  if (total <= mostBytes) return;
  const largest = [...buffers].sort((a, b) => b.bytes - a.bytes || a.id - b.id).slice(0, 3);
  const names = largest.map((b) => `'${b.name}' ${formatType(b.type)} ${size(b.bytes)}`).join(', ');
  throw compilerError('HDL0017', {
    what:
      `entry '${manifest.entry}' needs ${size(total)} of memory: arena ${size(manifest.arenaBytes)}, ` +
      `constants ${size(manifest.constantBytes)}, variables ${size(variableBytes)}; its largest values are ${names}`,
    rule: `a plan has at most ${size(mostBytes)}, what 32-bit addresses reach`,
    hint: 'use a smaller batch, or compile with { memory: { budget } } so that values are computed again instead of kept',
    loc: largest[0]?.node?.loc ?? null,
  });
}

function size(bytes: number): string {
  return bytes < 2 ** 20 ? `${bytes} bytes` : `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}
