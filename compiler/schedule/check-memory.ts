// The part of the checker that looks at memory: where every buffer lies, who is alive when, and what is written.
// Lifetimes are found anew here, and overlaps are searched for pair by pair, on purpose.

import type { Location, PlanManifest } from '../../runtime/plan.ts';
import { elementBytes } from '../kernel/cost.ts';
import type { KernelFacts } from './check-kernel.ts';
import { type Buffer, baseBytes, type Lowered, moveLocation } from './lowered.ts';

/** Throws the checker's error; `subject` names steps and buffers. */
export type Fail = (what: string, rule: string) => never;

/** Where each buffer lies, by id; undefined for those that nothing touches. Fails when the plan contradicts itself. */
export function locateBuffers(m: PlanManifest, lowered: Lowered, fail: Fail): (Location | undefined)[] {
  const found: (Location | undefined)[] = lowered.buffers.map(() => undefined);
  const note = (id: number, location: Location, who: string): void => {
    const b = lowered.buffers[id]!;
    const known = found[id];
    if (known !== undefined && !isSamePlace(known, location)) {
      fail(
        `${who} has buffer '${b.name}' at ${placeText(location)}, others have it at ${placeText(known)}`,
        'a buffer lies in one place',
      );
    }
    found[id] = location;
    const isHome =
      location.space === b.home.kind &&
      (location.space !== 'variable' ||
        (b.home.kind === 'variable' &&
          location.variable === b.home.variable &&
          location.bank === b.home.bank));
    if (!isHome)
      fail(`${who} has buffer '${b.name}' at ${placeText(location)}`, `its home is ${homeText(b)}`);
  };
  for (const [side, mine, theirs] of [
    ['input', m.inputs, lowered.inputs],
    ['output', m.outputs, lowered.outputs],
  ] as const) {
    if (mine.length !== theirs.length)
      fail(
        `the plan has ${mine.length} ${side}s, the program ${theirs.length}`,
        `${side}s are those of the program`,
      );
    theirs.forEach(({ name, buffer }, i) => {
      const p = mine[i]!;
      const b = lowered.buffers[buffer]!;
      if (
        p.name !== name ||
        p.order.join() !== b.order.join() ||
        p.dtype !== b.type.dtype ||
        p.shape.join() !== b.type.shape.join()
      ) {
        fail(
          `${side} ${i} of the plan, '${p.name}', is not ${side} '${name}' of the program`,
          'name, type and order are those of the buffer',
        );
      }
      note(buffer, p.location, `${side} '${name}'`);
    });
  }
  lowered.steps.forEach((step, s) => {
    const mine = m.steps[s]!;
    step.args.forEach((id, p) => {
      note(id, moveLocation(mine.args[p]!, -baseBytes(step, p)), stepText(m, s));
    });
  });
  return found;
}

function isSamePlace(a: Location, b: Location): boolean {
  return placeText(a) === placeText(b);
}

export function placeText(l: Location): string {
  if (l.space === 'variable') return `variable ${l.variable} (${l.bank})`;
  return l.space === 'flags' ? 'flags' : `${l.space} ${l.offset}`;
}

function homeText(b: Buffer): string {
  return b.home.kind === 'variable' ? `variable ${b.home.variable} (${b.home.bank})` : `the ${b.home.kind}`;
}

export function stepText(m: PlanManifest, s: number): string {
  return `step ${s} '${m.steps[s]!.label}'`;
}

/** Buffers are large enough for what kernels touch, lie inside their space, and what is only read is not written. */
export function checkRoom(
  m: PlanManifest,
  lowered: Lowered,
  locations: readonly (Location | undefined)[],
  fail: Fail,
): void {
  lowered.buffers.forEach((b) => {
    const l = locations[b.id];
    if (l?.space !== 'arena' && l?.space !== 'constant') return;
    const end = l.space === 'arena' ? m.arenaBytes : m.constantBytes;
    if (l.offset < 0 || l.offset + b.bytes > end || l.offset % 4 !== 0) {
      fail(
        `buffer '${b.name}' of ${b.bytes} bytes lies at ${placeText(l)}, the ${l.space} has ${end} bytes`,
        'buffers lie inside, aligned to their elements',
      );
    }
  });
  lowered.steps.forEach((step, s) => {
    step.kernel.params.forEach((param, p) => {
      const b = lowered.buffers[step.args[p]!]!;
      const bytes = param.elements * elementBytes(param.storage);
      const declared = m.kernels[m.steps[s]!.kernel]!.params[p]!;
      const base = baseBytes(step, p);
      if (base < 0 || base + bytes > b.bytes)
        fail(
          `${stepText(m, s)} touches bytes ${base} to ${base + bytes} of buffer '${b.name}', which has ${b.bytes}`,
          'accesses stay in bounds',
        );
      if (declared.bytes !== bytes || declared.access !== param.access) {
        fail(
          `kernel '${step.kernel.name}' declares ${declared.access} of ${declared.bytes} bytes for parameter ${p}, it does ${param.access} of ${bytes}`,
          'the manifest tells what kernels do',
        );
      }
      if (param.access === 'read') return;
      const { home } = b;
      if (home.kind === 'constant' || (home.kind === 'variable' && home.bank === 'current')) {
        fail(
          `${stepText(m, s)} writes buffer '${b.name}', ${homeText(b)}`,
          'constants and current banks are only read',
        );
      }
      if (home.kind === 'variable' && !lowered.variables[home.variable]!.updated) {
        fail(
          `${stepText(m, s)} writes the next bank of '${lowered.variables[home.variable]!.name}'`,
          'only variables that are updated have a next bank',
        );
      }
    });
  });
}

interface Use {
  readonly step: number;
  readonly param: number;
}

interface Uses {
  readonly reads: readonly Use[];
  readonly writes: readonly Use[];
}

export function usesOf(lowered: Lowered): Uses[] {
  const uses = lowered.buffers.map(() => ({ reads: [] as Use[], writes: [] as Use[] }));
  lowered.steps.forEach(({ kernel, args }, step) => {
    args.forEach((id, param) => {
      uses[id]![kernel.params[param]!.access === 'write' ? 'writes' : 'reads'].push({ step, param });
    });
  });
  return uses;
}

/** Reads come after writes; outputs and next banks are written, completely. */
export function checkWritten(
  m: PlanManifest,
  lowered: Lowered,
  uses: readonly Uses[],
  facts: readonly KernelFacts[],
  fail: Fail,
): void {
  const isOutput = new Set<number>(lowered.outputs.map((o) => o.buffer));
  for (const b of lowered.buffers) {
    const { reads, writes } = uses[b.id]!;
    if (b.home.kind === 'flags' || b.home.kind === 'constant') continue;
    if (b.home.kind === 'variable' && b.home.bank === 'current') continue;
    const isInput = b.home.kind === 'arena' && b.home.role === 'input';
    if (isInput) continue;
    const first = writes[0]?.step ?? Number.POSITIVE_INFINITY;
    if (reads[0] && reads[0].step <= first) {
      fail(
        `${stepText(m, reads[0].step)} reads buffer '${b.name}' before ${writes[0] ? `${stepText(m, first)} writes it` : 'anything writes it'}`,
        'a buffer is written before it is read',
      );
    }
    const mustBeFull =
      isOutput.has(b.id) ||
      b.home.kind === 'variable' ||
      (b.home.kind === 'arena' && b.home.role === 'output');
    if (!mustBeFull || b.bytes === 0) continue;
    if (writes.length === 0)
      fail(`nothing writes buffer '${b.name}'`, 'outputs and next banks are written completely');
    // Several writers write disjoint parts or one writes all; either way the sum must reach the whole.
    const size = elementBytes(lowered.steps[writes[0]!.step]!.kernel.params[writes[0]!.param]!.storage);
    const stored = writes.reduce((n, w) => n + facts[w.step]!.stored[w.param]!, 0);
    if (!(stored * size >= b.bytes)) {
      const count = Number.isNaN(stored) ? 'an unknown number' : stored;
      fail(
        `${stepText(m, writes[0]!.step)} writes ${count} of the ${b.bytes / size} elements of buffer '${b.name}'`,
        'outputs and next banks are written completely',
      );
    }
  }
  for (const [v, variable] of lowered.variables.entries()) {
    const next = lowered.buffers.some(
      (b) => b.home.kind === 'variable' && b.home.variable === v && b.home.bank === 'next',
    );
    if (variable.updated && !next)
      fail(
        `nothing writes the next bank of variable '${variable.name}'`,
        'outputs and next banks are written completely',
      );
  }
}

/** No two buffers that are alive at once share bytes, but for outputs that are proved to replace an input in place. */
export function checkOverlap(
  m: PlanManifest,
  lowered: Lowered,
  uses: readonly Uses[],
  locations: readonly (Location | undefined)[],
  facts: readonly KernelFacts[],
  fail: Fail,
): void {
  const isInput = new Set<number>(lowered.inputs.map((x) => x.buffer));
  const isOutput = new Set<number>(lowered.outputs.map((x) => x.buffer));
  const ids: number[] = [];
  const begin: number[] = [];
  const end: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  for (const b of lowered.buffers) {
    const l = locations[b.id];
    if (l?.space !== 'arena' || b.bytes === 0) continue;
    const { reads, writes } = uses[b.id]!;
    const steps = [...reads, ...writes].map((u) => u.step);
    let first = isInput.has(b.id) ? -1 : Number.POSITIVE_INFINITY;
    let last = isOutput.has(b.id) ? lowered.steps.length : -1;
    for (const s of steps) {
      first = Math.min(first, s);
      last = Math.max(last, s);
    }
    ids.push(b.id);
    begin.push(l.offset);
    end.push(l.offset + b.bytes);
    from.push(first);
    to.push(last);
  }
  for (let i = 0; i < ids.length; i++) {
    for (let j = i + 1; j < ids.length; j++) {
      if (begin[i]! >= end[j]! || begin[j]! >= end[i]! || from[i]! > to[j]! || from[j]! > to[i]!) continue;
      const [early, late] = from[i]! < from[j]! || (from[i] === from[j] && to[i]! < to[j]!) ? [i, j] : [j, i];
      const step = from[late]!;
      const isHandedOver = to[early] === step && begin[early] === begin[late] && end[early] === end[late];
      if (isHandedOver && isInPlace(lowered, facts, step, ids[early]!, ids[late]!)) continue;
      const a = lowered.buffers[ids[early]!]!;
      const b = lowered.buffers[ids[late]!]!;
      const at = step < 0 ? 'the inputs' : step >= m.steps.length ? 'the outputs' : stepText(m, step);
      fail(
        `buffers '${a.name}' (arena ${begin[early]} to ${end[early]}) and '${b.name}' (arena ${begin[late]} to ${end[late]}) overlap and are both alive at ${at}`,
        'buffers that are alive at once share no bytes, unless one replaces the other element by element',
      );
    }
  }
}

function isInPlace(
  lowered: Lowered,
  facts: readonly KernelFacts[],
  step: number,
  input: number,
  output: number,
): boolean {
  const call = lowered.steps[step];
  if (!call) return false;
  const read = call.args.flatMap((id, p) =>
    id === input && call.kernel.params[p]!.access === 'read' ? [p] : [],
  );
  const write = call.args.flatMap((id, p) =>
    id === output && call.kernel.params[p]!.access === 'write' ? [p] : [],
  );
  const widths = [...read, ...write].map((p) => elementBytes(call.kernel.params[p]!.storage));
  if (read.length !== 1 || write.length !== 1 || widths[0] !== widths[1]) return false;
  if (baseBytes(call, read[0]!) !== baseBytes(call, write[0]!)) return false;
  return facts[step]!.mayOverwrite(read[0]!, write[0]!);
}
