// How much of what the workers read others have made: it lies in the others' caches, and is slow to come. For choosing who
// does what (partition.ts), so an estimate is enough; which barriers can go is found from whole bytes (merge-barriers.ts).
//
// What a range of units touches of a value is taken to be a strip: in every period, elements [from, to).
//
//   [features, rows], rows shared     ████░░░░|████░░░░|████░░░░     period: a feature's rows
//   [rows, features], rows shared     ████████████░░░░░░░░░░░░░░     no period
//
// Strips of one period overlap as their intervals do. Of values with different periods half a guess is made: as if all had
// made equal parts of what each reads.

import type { RunItem, ScheduleItem } from '../../runtime/plan.ts';
import { type Atom, type Index, indexRange, varIndex } from '../kernel/affine.ts';
import { elementBytes } from '../kernel/cost.ts';
import type { Kernel } from '../kernel/ir.ts';
import { remembered } from '../remembered.ts';
import { footprints } from './footprint.ts';
import type { BufferId, LoweredStep } from './lowered.ts';
import { traceOf } from './trace.ts';

/** Elements [from, to) of every period; Infinity: there is one. */
interface Strip {
  readonly period: number;
  readonly from: number;
  readonly to: number;
}

export type PlacedUnits = Pick<LoweredStep, 'kernel' | 'args' | 'bases'>;

/**
 * Bytes that each step reads of what another worker has made in this run, over all workers, when the work is handed out like
 * that; `lists` has the items of each phase and worker.
 */
export function bytesFromAfar(
  steps: readonly PlacedUnits[],
  lists: readonly (readonly (readonly ScheduleItem[])[])[],
): Float64Array {
  const bytes = new Float64Array(steps.length);
  const made = new Map<BufferId, { readonly worker: number; readonly strip: Strip }[]>();
  const visit = (access: 'read' | 'write', item: RunItem, worker: number): void => {
    const step = steps[item.step]!;
    // What a loop touches, is not known from its one step.
    if (step.kernel.isLoop) return;
    step.kernel.params.forEach((param, p) => {
      if (param.access !== access || p === step.kernel.flags) return;
      const size = elementBytes(param.storage);
      const base = step.bases?.[p] ?? 0;
      const strip = stripOf(step.kernel, p, item.begin, item.end, base);
      if (strip === null) return;
      const known = made.get(step.args[p]!) ?? [];
      if (access === 'write') {
        made.set(step.args[p]!, known);
        known.push({ worker, strip });
        return;
      }
      if (known.length === 0) return;
      const length = Math.min(strip.period, param.elements);
      const part = Math.min(1, (strip.to - strip.from) / length);
      bytes[item.step]! += param.elements * size * part * foreignPart(strip, known, worker);
    });
  };
  for (const phase of lists) {
    for (const access of ['read', 'write'] as const)
      phase.forEach((items, worker) => {
        for (const item of items) if (item.do === 'run') visit(access, item, worker);
      });
  }
  return bytes;
}

/** Of what is read, the part that others have made. */
function foreignPart(
  read: Strip,
  made: readonly { readonly worker: number; readonly strip: Strip }[],
  worker: number,
): number {
  let [own, foreign] = [0, 0];
  for (const { worker: maker, strip } of made) {
    const common =
      strip.period === read.period ? Math.min(read.to, strip.to) - Math.max(read.from, strip.from) : 1;
    if (common <= 0) continue;
    if (maker === worker) own += common;
    else foreign += common;
  }
  return own + foreign === 0 ? 0 : foreign / (own + foreign);
}

/** What units [begin, end) touch of a parameter, `base` elements further on; null for nothing. */
function stripOf(kernel: Kernel, param: number, begin: number, end: number, base: number): Strip | null {
  const period = periodsOf(kernel)[param]!;
  const units = { ...varIndex({ ...kernel.unit, extent: end - begin }), constant: begin };
  const involved = involving(kernel.unit.id);
  let [from, to] = [Infinity, -Infinity];
  for (const f of footprints(traceOf(kernel), kernel.unit, units)) {
    if (f.param !== param) continue;
    const terms = f.index.terms.filter((t) => Math.abs(t.coeff) < period || involved(t.atom));
    const { min, max } = indexRange({ constant: 0, terms });
    const start = (f.index.constant + base) % period;
    from = Math.min(from, start + min);
    to = Math.max(to, start + max + 1);
  }
  return from < to ? { period, from, to } : null;
}

/** Of each parameter, the period of what a few units touch. */
const periodsOf = remembered((kernel: Kernel): readonly number[] => {
  const touched = footprints(traceOf(kernel), kernel.unit, varIndex(kernel.unit));
  return kernel.params.map((_, p) => {
    const indices = touched.filter(({ param }) => param === p).map(({ index }) => index);
    return periodOf(indices, kernel.unit.id);
  });
});

/** What is cut into units of whole tiles may be a little longer than what it is cut from. */
const nearlyAll = 0.75;

/**
 * The distance between accesses that is too long to be within what all units walk through, and of which the others are
 * multiples, but for the elements of a tile.
 */
function periodOf(indices: readonly Index[], unit: number): number {
  const involved = involving(unit);
  let [length, stride, start] = [1, 0, 0];
  for (const { constant, terms } of indices) {
    const own = Math.max(0, ...terms.map((t) => (involved(t.atom) ? Math.abs(t.coeff) : 0)));
    if (own === 0) continue;
    const { min, max } = indexRange({ constant: 0, terms: terms.filter((t) => Math.abs(t.coeff) <= own) });
    if (stride === 0) start = constant;
    length = Math.max(length, max - min + 1);
    stride = Math.max(stride, own);
  }
  if (stride === 0) return Infinity;
  const walking = indices.filter(({ terms }) => terms.some((t) => involved(t.atom)));
  const distances = walking.flatMap(({ constant, terms }) => [
    constant - start,
    ...terms.map((t) => (involved(t.atom) ? 0 : t.coeff)),
  ]);
  const long = [...new Set(distances.map(Math.abs))].filter((n) => n >= nearlyAll * length);
  /** How many are multiples; −1 when one is not even nearly. */
  const fit = (period: number): number => {
    const rests = long.map((n) => Math.abs(n - Math.round(n / period) * period));
    return rests.some((rest) => rest > stride) ? -1 : rests.filter((rest) => rest === 0).length;
  };
  const [best] = long
    .map((period) => ({ period, count: fit(period) }))
    .filter(({ count }) => count >= 0)
    .sort((a, b) => b.count - a.count || a.period - b.period);
  return best?.period ?? Infinity;
}

/** Whether an atom grows with the unit: what a remainder of it says, is the same for all long ranges of units. */
function involving(unit: number): (atom: Atom) => boolean {
  const grows = (atom: Atom): boolean => {
    if (atom.kind === 'var') return atom.id === unit;
    return atom.kind === 'div' && atom.x.terms.some((t) => grows(t.atom));
  };
  return grows;
}
