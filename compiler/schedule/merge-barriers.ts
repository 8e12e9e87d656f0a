// Barriers that nobody needs. A barrier stands between two phases since some step of the later one depends on some step of
// the earlier; but where every worker reads and overwrites only what it wrote itself, the workers need not meet:
//
//   worker 0   conv, images 0 to 31  │ sums of images 0 to 31  ║  scale, images 0 to 31
//   worker 1   conv, images 32 to 63 │ sums of images 32 to 63 ║  scale, images 32 to 63
//                              not needed              needed: the scale is made of all sums
//
// Often only one side waits: where worker 1 goes on with what worker 0 has made, and worker 0 with its own, worker 1 waits for
// worker 0, who goes on at once (`after` in the plan). Who has waited for a worker knows of all that this one had waited for.
//
// Before and after long phases barriers stay: they cost next to nothing there, and what nobody reads before the next one can
// be taken over by a worker that is done (share.ts).
//
// In: the lists of one schedule, and where every argument lies. Out: the same lists with fewer barriers. Which elements a
// range of units touches is found from the indices of the kernel; addresses are those of the arena, so places that are
// used again count like values. check-schedule.ts proves the result.

import type { PlanSchedule, RunItem, ScheduleItem } from '../../runtime/plan.ts';
import type { Range } from '../kernel/affine.ts';
import { elementBytes } from '../kernel/cost.ts';
import type { Kernel, KernelParam } from '../kernel/ir.ts';
import { touchedBy } from './footprint.ts';
import { hasLongRange, type PlacedStep, type ShareContext, splitAtBarriers } from './share.ts';
import { traceOf } from './trace.ts';

/** Bytes that one worker touches in one space. */
interface Span {
  readonly space: string;
  readonly from: number;
  readonly to: number;
  readonly isWrite: boolean;
}

/** Spans between two barriers beyond which the next one stays: each is compared with those of other workers. */
const mostSpans = 2048;

/** All of a parameter: what a loop touches of it, in one iteration or another. */
function wholeRange({ elements }: KernelParam): Range | null {
  return elements === 0 ? null : { min: 0, max: elements - 1 };
}

type RangesOf = (kernel: Kernel, begin: number, end: number) => readonly (Range | null)[];

/** Remembers what units of kernels touch: steps share kernels. */
function rangesOfUnits(): RangesOf {
  const known = new Map<Kernel, Map<string, readonly (Range | null)[]>>();
  return (kernel, begin, end) => {
    const byUnits = known.get(kernel) ?? new Map<string, readonly (Range | null)[]>();
    known.set(kernel, byUnits);
    const key = `${begin},${end}`;
    let ranges = byUnits.get(key);
    if (!ranges) {
      ranges = touchedBy(kernel, traceOf(kernel), begin, end);
      byUnits.set(key, ranges);
    }
    return ranges;
  };
}

/**
 * Removes the barriers over which no byte goes from one worker to another; as late as it can be, the rest stays. Where few
 * workers need to wait, those wait only for whom they need to, if `mayWaitSingly`.
 */
export function mergeBarriers(
  schedules: readonly PlanSchedule[],
  context: ShareContext,
  mayWaitSingly = true,
): PlanSchedule[] {
  const spansOf = spansIn(context.steps, rangesOfUnits());
  const isLoop = ({ step }: RunItem): boolean => context.steps[step]!.kernel.isLoop === true;
  // A loop that several do begins and ends with ranges that may be taken over, too.
  const isLong = (parts: readonly RunItem[][]): boolean =>
    parts.filter((items) => items.length > 0).length > 1 &&
    (hasLongRange(parts.flat(), context) || parts.some((items) => items.some(isLoop)));
  return schedules.map((schedule) => mergeIn(schedule, spansOf, isLong, mayWaitSingly));
}

/** Iterations after which all places have been seen: carries go to and fro. */
const differentIterations = 3;

/**
 * Whether all workers must meet between two iterations of a loop: not where each worker begins the next iteration with what
 * no other touched since they last met. `placesAt`: the steps of the body, as an iteration finds them.
 */
export function mustMeetBetween(
  { lists }: PlanSchedule,
  placesAt: (iteration: number) => readonly PlacedStep[],
  length: number,
): boolean {
  const phases = lists.map(splitAtBarriers);
  // Without a barrier in the body there would be none at all.
  if (phases[0]!.length < 2) return length > 1;
  const rangesOf = rangesOfUnits();
  for (let t = 0; t + 1 < Math.min(length, differentIterations); t++) {
    const now = spansIn(placesAt(t), rangesOf);
    const then = spansIn(placesAt(t + 1), rangesOf);
    const last = phases.map((parts) => parts.at(-1)!.flatMap(now));
    const first = phases.map((parts) => parts[0]!.flatMap(then));
    if (first.some((spans, w) => last.some((others, v) => v !== w && conflict(spans, others)))) return true;
  }
  return false;
}

type SpansOf = (item: RunItem) => Span[];

/** What an item touches. */
function spansIn(steps: readonly PlacedStep[], rangesOf: RangesOf): SpansOf {
  return (item) => {
    const { kernel, args } = steps[item.step]!;
    const ranges = kernel.isLoop ? kernel.params.map(wholeRange) : null;
    return (ranges ?? rangesOf(kernel, item.begin, item.end)).flatMap((range, p): Span[] => {
      const place = args[p]!;
      if (range === null || place.space === 'flags' || place.space === 'constant') return [];
      const { access, storage } = kernel.params[p]!;
      const size = elementBytes(storage);
      const start = place.space === 'arena' ? place.offset : 0;
      return [
        {
          space: place.space === 'arena' ? 'arena' : `${place.bank} ${place.variable}`,
          from: start + range.min * size,
          to: start + (range.max + 1) * size,
          isWrite: access === 'write',
        },
      ];
    });
  };
}

function mergeIn(
  schedule: PlanSchedule,
  spansOf: SpansOf,
  isLong: (parts: readonly RunItem[][]) => boolean,
  mayWaitSingly: boolean,
): PlanSchedule {
  if (schedule.workers === 1) {
    return { ...schedule, lists: schedule.lists.map((list) => list.filter((item) => item.do !== 'barrier')) };
  }
  const phases = schedule.lists.map(splitAtBarriers);
  const lists: ScheduleItem[][] = schedule.lists.map(() => []);
  const open = new Ordering(schedule.workers, spansOf);
  let wasLong = true;
  for (let p = 0; p < phases[0]!.length; p++) {
    const items = phases.map((parts) => parts[p]!);
    const long = isLong(items);
    let meet = p === 0 || wasLong || long || open.spans > mostSpans;
    const waits = meet ? [] : items.map((own, w) => open.mustWait(w, own));
    const count = waits.reduce((n, after) => n + after.length, 0);
    // As many as would meet anyhow may as well.
    meet ||= count > 0 && !(mayWaitSingly && 2 * count < schedule.workers ** 2);
    if (meet) open.meet(p);
    else if (count > 0) open.wait(p, waits);
    if (p > 0 && (meet || count > 0))
      lists.forEach((list, w) => {
        list.push(meet ? { do: 'barrier' } : { do: 'barrier', after: waits[w]! });
      });
    open.add(p, items);
    wasLong = long;
    lists.forEach((list, w) => {
      list.push(...phases[w]![p]!);
    });
  }
  return { ...schedule, lists };
}

/** What workers have touched that others may have to wait for. Long phases are not asked: all meet around them. */
class Ordering {
  readonly #spansOf: SpansOf;
  /** By worker and phase, what it did there; phases that all know to be over are left out. */
  readonly #open: Map<number, readonly RunItem[]>[];
  /** What that touched, as far as somebody has asked. */
  readonly #touched: Map<number, readonly Span[]>[];
  /** `known[w][v]`: the phases of worker v before this one are over when worker w goes on. */
  #known: number[][];

  constructor(workers: number, spansOf: SpansOf) {
    this.#spansOf = spansOf;
    this.#open = Array.from({ length: workers }, () => new Map());
    this.#touched = Array.from({ length: workers }, () => new Map());
    this.#known = Array.from({ length: workers }, () => new Array<number>(workers).fill(0));
  }

  /** How many spans have been asked for. */
  get spans(): number {
    return this.#touched.reduce(
      (n, phases) => [...phases.values()].reduce((m, { length }) => m + length, n),
      0,
    );
  }

  add(phase: number, items: readonly (readonly RunItem[])[]): void {
    this.#open.forEach((phases, w) => {
      if (items[w]!.length > 0) phases.set(phase, items[w]!);
    });
  }

  /** For whom a worker has to wait before it does `items`: not for those of whom another one knows. */
  mustWait(worker: number, items: readonly RunItem[]): number[] {
    if (items.length === 0) return [];
    const next = items.flatMap(this.#spansOf);
    /** By other worker, its last phase that must be over. */
    const needed = new Map<number, number>();
    this.#open.forEach((phases, v) => {
      if (v === worker) return;
      for (const phase of phases.keys())
        if (phase >= this.#known[worker]![v]! && conflict(next, this.#spansAt(v, phase)))
          needed.set(v, phase);
    });
    for (const [v, phase] of needed) {
      const others = [...needed.keys()].filter((u) => u !== v);
      if (others.some((u) => this.#known[u]![v]! > phase)) needed.delete(v);
    }
    return [...needed.keys()];
  }

  #spansAt(worker: number, phase: number): readonly Span[] {
    const known = this.#touched[worker]!.get(phase);
    if (known) return known;
    const spans = this.#open[worker]!.get(phase)!.flatMap(this.#spansOf);
    this.#touched[worker]!.set(phase, spans);
    return spans;
  }

  /** All workers meet before a phase. */
  meet(phase: number): void {
    for (const phases of [...this.#open, ...this.#touched]) phases.clear();
    for (const known of this.#known) known.fill(phase);
  }

  wait(phase: number, waits: readonly (readonly number[])[]): void {
    const before = this.#known;
    this.#known = before.map((own, w) =>
      own.map((over, v) =>
        waits[w]!.includes(v) ? phase : Math.max(over, ...waits[w]!.map((u) => before[u]![v]!)),
      ),
    );
    this.#open.forEach((phases, v) => {
      const seen = Math.min(...this.#known.flatMap((known, w) => (w === v ? [] : [known[v]!])));
      for (const over of phases.keys()) {
        if (over >= seen) continue;
        phases.delete(over);
        this.#touched[v]!.delete(over);
      }
    });
  }
}

/** Whether two workers touch a byte in common, one of them writing it. */
function conflict(a: readonly Span[], b: readonly Span[]): boolean {
  return a.some((x) =>
    b.some((y) => (x.isWrite || y.isWrite) && x.from < y.to && y.from < x.to && x.space === y.space),
  );
}
