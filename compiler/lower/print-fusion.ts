// The dump of fusion, kernel by kernel, in the user's words:
//
//   kernel 3  bn: mul + sub + add  at model.ts:12:5
//     stores     %12 bn/add f32[64, 16, 32, 32]: several values read it: … (storing 1.2 us, computing 2.1 us)
//     computes   %9 bn/sub, %10 bn/mul
//     again      %8 bn/neg, also in kernels 5, 7 (storing 0.6 us, computing 0.3 us)
//     views      %7 reshape
//     apart from kernel 2 (conv: convolution), which makes %6 conv: a reduction starts when all that it reads is there
//   kernels that read what others make
//     one, unit by unit  conv: convolution → bn/mean: reduceSum: … (apart 262.2 us, as one 88.4 us)
//
// The same decisions print the same text.

import type { Costs } from './cost.ts';
import type { EdgeDecision, FusionDecisions, ValueDecision } from './decisions.ts';

export function printFusion(of: FusionDecisions): string {
  const count = (fates: readonly string[]): number => of.values.filter((v) => fates.includes(v.fate)).length;
  const lines = [
    `fusion of ${of.entry}: ${of.values.length} values in ${of.kernels.length} kernels`,
    `  ${count(['given'])} given, ${count(['stored'])} stored, ${count(['part'])} inside of others, ` +
      `${count(['inlined'])} inlined, ${count(['recomputed'])} computed in several kernels, ${count(['view'])} views`,
  ];
  const edgesTo = new Map<number, EdgeDecision[]>();
  for (const e of of.edges) edgesTo.set(e.to, [...(edgesTo.get(e.to) ?? []), e]);
  of.kernels.forEach((kernel, k) => {
    const values = kernel.computes.map((v) => of.values[v]!);
    const inner = values.filter((v) => !kernel.stores.includes(v.value));
    lines.push(`kernel ${k}  ${kernel.label}${kernel.line === null ? '' : `  at ${kernel.line}`}`);
    for (const s of kernel.stores) lines.push(`  stores     ${storing(of, of.values[s]!)}`);
    list(lines, 'computes', inner.filter((v) => v.fate !== 'view' && v.fate !== 'recomputed').map(title));
    for (const v of inner.filter((v) => v.fate === 'recomputed')) {
      const others = v.kernels.filter((other) => other !== k);
      lines.push(
        `  again      ${title(v)}, also in ${others.length > 1 ? 'kernels' : 'kernel'} ${others.join(', ')}${costs(v.costs)}`,
      );
    }
    list(lines, 'views', inner.filter((v) => v.fate === 'view').map(title));
    for (const line of new Set(apartFrom(of, k, edgesTo))) lines.push(`  apart from ${line}`);
  });
  if (of.chains.length > 0) lines.push('kernels that read what others make');
  for (const c of of.chains) {
    const what = c.isJoined ? 'one, unit by unit' : 'apart';
    lines.push(
      `  ${what.padEnd(17)}  ${c.first} → ${c.second}: ${c.because}${costs(c.costs, ['apart', 'as one'])}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function title(v: ValueDecision): string {
  return `%${v.value} ${v.name}`;
}

function storing(of: FusionDecisions, v: ValueDecision): string {
  const inside = v.within === null ? '' : ` inside of ${title(of.values[v.within]!)}`;
  return `${title(v)} ${v.type}${inside}: ${v.because}${costs(v.costs)}`;
}

/** The kernels that make what this one reads, and why it is not the same kernel. */
function apartFrom(
  of: FusionDecisions,
  k: number,
  edgesTo: ReadonlyMap<number, readonly EdgeDecision[]>,
): string[] {
  return of.kernels[k]!.computes.flatMap((v) =>
    (edgesTo.get(v) ?? [])
      .filter((e) => !e.isFused && e.reason !== 'given')
      .map((e) => {
        const makers = of.values[e.from]!.kernels;
        const names = makers.map((m) => `${m} (${of.kernels[m]!.label})`).join(', ');
        return `kernel ${names}, which makes ${title(of.values[e.from]!)}: ${e.because}`;
      }),
  );
}

function list(lines: string[], what: string, names: readonly string[]): void {
  if (names.length > 0) lines.push(`  ${what.padEnd(10)} ${names.join(', ')}`);
}

function costs(of: Costs | null, [storing, computing] = ['storing', 'computing']): string {
  return of === null ? '' : ` (${storing} ${time(of.storing)}, ${computing} ${time(of.computing)})`;
}

function time(ns: number): string {
  return ns < 1000 ? `${Math.round(ns)} ns` : `${(ns / 1000).toFixed(1)} us`;
}
