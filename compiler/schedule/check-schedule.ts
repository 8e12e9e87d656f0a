// The part of the checker that looks at time: each unit runs once, workers meet the same number of times, and under any
// interleaving what a step reads is what the steps before it wrote.
//
// Only two things order two accesses: barriers between them, and the list of one worker, where it does not share them. So
// of any two steps that touch the same bytes, one of them writing, the earlier must be done in a phase that the worker of the
// later knows to be over, or each pair of parts that may run on different workers must touch different elements.
//
// What a worker knows (a vector clock: Fidge, Mattern 1988): where all meet, that all phases before are over; where it waits
// for some, what they knew when they came there, and that their own phases before are over.

import type { Location, PlanManifest, PlanSchedule } from '../../runtime/plan.ts';
import { elementBytes } from '../kernel/cost.ts';
import type { KernelFacts } from './check-kernel.ts';
import { type Fail, stepText } from './check-memory.ts';
import type { Lowered } from './lowered.ts';

/** What is over when a worker goes on: `over(worker, phase, other)` counts the phases of another worker. */
type Over = (worker: number, phase: number, other: number) => number;

interface Run {
  readonly step: number;
  readonly worker: number;
  readonly begin: number;
  readonly end: number;
  /** Barriers before, and those of them at which all meet. */
  readonly phase: number;
  readonly stretch: number;
  /** Position in the worker's list. */
  readonly at: number;
  /** Any worker may run its units, at any time between the barriers. */
  readonly isShared: boolean;
}

/** Bytes of all spaces on one line: a region per variable bank, and the arena. */
interface Span {
  readonly step: number;
  readonly param: number;
  readonly from: number;
  readonly to: number;
  readonly isWrite: boolean;
}

export function checkSchedule(
  m: PlanManifest,
  lowered: Lowered,
  schedule: PlanSchedule,
  facts: readonly KernelFacts[],
  fail: Fail,
): void {
  const runs = runsOf(m, schedule, fail);
  const over = knowledgeOf(schedule, fail);
  checkUnits(m, schedule, runs, fail);
  const spans = spansOf(m, lowered);
  const first = runs.map((list) => Math.min(...list.map((r) => r.stretch)));
  const last = runs.map((list) => Math.max(...list.map((r) => r.stretch)));

  const conflict = (a: Span, b: Span): void => {
    const [x, y] = a.step < b.step ? [a, b] : [b, a];
    if (last[x.step]! < first[y.step]!) return;
    for (const r of runs[x.step]!) {
      for (const s of runs[y.step]!) {
        const isOneList = r.worker === s.worker && !r.isShared && !s.isShared;
        if (over(s.worker, s.phase, r.worker) > r.phase || (isOneList && r.at < s.at)) continue;
        if (!meet(x, r, y, s, lowered, facts)) continue;
        const name = (span: Span): string =>
          `${span.isWrite ? 'writes' : 'reads'} '${lowered.buffers[lowered.steps[span.step]!.args[span.param]!]!.name}'`;
        const where = (run: Run): string =>
          `units [${run.begin}, ${run.end}) on ${run.isShared ? 'any worker' : `worker ${run.worker}`} in phase ${run.phase}`;
        fail(
          `with ${schedule.workers} workers nothing orders ${stepText(m, x.step)}, which ${name(x)} (${where(r)}), before ${stepText(m, y.step)}, which ${name(y)} (${where(s)})`,
          'of two steps that touch the same bytes, one of them writing, the first is done before a barrier that the second comes after',
        );
      }
    }
  };

  // Between two barriers at which all meet: all pairs of spans that meet. Steps in several such stretches are looked at in each.
  const stretches = Math.max(0, ...last) + 1;
  const within: number[][] = Array.from({ length: stretches }, () => []);
  runs.forEach((list, step) => {
    for (const stretch of new Set(list.map((r) => r.stretch))) within[stretch]!.push(step);
  });
  for (const steps of within)
    forEachMeeting(
      steps.flatMap((s) => spans[s]!),
      conflict,
    );

  // Across stretches: steps that run in one before one of their predecessors. In a good plan there are none.
  let latest = -1;
  for (let y = 0; y < runs.length; y++) {
    if (first[y]! < latest) {
      for (let x = 0; x < y; x++) {
        if (last[x]! > first[y]!) forEachMeeting([...spans[x]!, ...spans[y]!], conflict);
      }
    }
    latest = Math.max(latest, last[y]!);
  }
}

function runsOf(m: PlanManifest, schedule: PlanSchedule, fail: Fail): Run[][] {
  const runs: Run[][] = m.steps.map(() => []);
  const barriers = schedule.lists.map((list, worker) => {
    let phase = 0;
    let stretch = 0;
    /** Ranges that others may take between the last barrier and the next. */
    let open: number | null = null;
    let isMeeting = true;
    const boundary = (meets: boolean): void => {
      if (open !== null && !(isMeeting && meets))
        fail(
          `worker ${worker} of ${schedule.workers} shares units of ${stepText(m, open)} beside a barrier at which not all wait`,
          'what others may take lies between two barriers at which all wait for all',
        );
      open = null;
      isMeeting = meets;
    };
    list.forEach((item, at) => {
      if (item.do === 'barrier') {
        phase++;
        boundary(item.after === undefined);
        if (item.after === undefined) stretch++;
      } else if (item.do === 'repeat')
        fail(`worker ${worker} repeats loop ${item.loop}`, 'loops are written out before they are checked');
      else {
        if (!m.steps[item.step])
          fail(
            `worker ${worker} of ${schedule.workers} runs step ${item.step}`,
            `there are ${m.steps.length} steps`,
          );
        const { step, begin, end, shared } = item;
        const isShared = shared !== undefined;
        if (isShared) open = step;
        if (begin < end) runs[step]!.push({ step, worker, begin, end, phase, stretch, at, isShared });
      }
    });
    boundary(true);
    return phase;
  });
  const odd = barriers.findIndex((count) => count !== barriers[0]);
  if (schedule.lists.length !== schedule.workers)
    fail(
      `the schedule for ${schedule.workers} workers has ${schedule.lists.length} lists`,
      'there is one list per worker',
    );
  if (odd >= 0)
    fail(
      `worker ${odd} of ${schedule.workers} passes ${barriers[odd]} barriers, worker 0 passes ${barriers[0]}`,
      'all workers pass the same number of barriers',
    );
  return runs;
}

/** Walks all lists from barrier to barrier. */
function knowledgeOf({ workers, lists }: PlanSchedule, fail: Fail): Over {
  const barriers = lists.map((list) => list.filter((item) => item.do === 'barrier'));
  let known: number[][] = lists.map(() => lists.map(() => 0));
  const inPhase = [known];
  barriers[0]!.forEach(({ after: first }, b) => {
    const phase = b + 1;
    const before = known;
    known = lists.map((_, w) => {
      const { after } = barriers[w]![b]!;
      if ((after === undefined) !== (first === undefined))
        fail(
          `of barrier ${b}, workers 0 and ${w} of ${workers} disagree whether all wait for all`,
          'all workers wait for all at a barrier, or none does',
        );
      if (after === undefined) return lists.map(() => phase);
      return before[w]!.map((own, v) =>
        after.includes(v) ? phase : Math.max(own, ...after.map((u) => before[u]![v]!)),
      );
    });
    inPhase.push(known);
  });
  return (worker, phase, other) => inPhase[phase]![worker]![other]!;
}

function checkUnits(m: PlanManifest, schedule: PlanSchedule, runs: readonly Run[][], fail: Fail): void {
  runs.forEach((list, s) => {
    let done = 0;
    for (const r of [...list].sort((a, b) => a.begin - b.begin)) {
      if (r.begin !== done) {
        fail(
          `with ${schedule.workers} workers unit ${Math.min(r.begin, done)} of ${stepText(m, s)} runs ${r.begin < done ? 'twice' : 'never'}`,
          'each unit runs exactly once',
        );
      }
      done = r.end;
    }
    const { units } = m.steps[s]!;
    if (done !== units)
      fail(
        `with ${schedule.workers} workers unit ${Math.min(done, units)} of ${stepText(m, s)} ${done < units ? 'runs never' : 'does not exist'}`,
        'each unit runs exactly once',
      );
  });
}

/** Per step, what it touches; constants and flags are left out (dependences.ts says why). */
function spansOf(m: PlanManifest, lowered: Lowered): Span[][] {
  const region = new Map<string, number>();
  const base = (l: Location): number | null => {
    if (l.space === 'arena') return l.offset;
    if (l.space !== 'variable') return null;
    const key = `${l.variable}${l.bank}`;
    if (!region.has(key)) region.set(key, 2 ** 33 * (region.size + 1));
    return region.get(key)!;
  };
  return lowered.steps.map((step, s) =>
    step.args.flatMap((_, p) => {
      const param = step.kernel.params[p]!;
      const from = base(m.steps[s]!.args[p]!);
      const bytes = param.elements * elementBytes(param.storage);
      return from === null || bytes === 0
        ? []
        : [{ step: s, param: p, from, to: from + bytes, isWrite: param.access === 'write' }];
    }),
  );
}

/** Calls `visit` for each two spans of different steps that share bytes, one of them writing. */
function forEachMeeting(spans: readonly Span[], visit: (a: Span, b: Span) => void): void {
  const sorted = [...spans].sort((a, b) => a.from - b.from || a.step - b.step);
  let open: Span[] = [];
  for (const span of sorted) {
    open = open.filter((other) => other.to > span.from);
    for (const other of open)
      if (other.step !== span.step && (other.isWrite || span.isWrite)) visit(other, span);
    open.push(span);
  }
}

/** Whether two parts touch a byte in common: the elements of their units, as far as they are known. */
function meet(x: Span, r: Run, y: Span, s: Run, lowered: Lowered, facts: readonly KernelFacts[]): boolean {
  const bytesOf = (span: Span, run: Run): [number, number] | null => {
    const touched = facts[span.step]!.touched(span.param, run.begin, run.end);
    if (touched === null) return null;
    const size = elementBytes(lowered.steps[span.step]!.kernel.params[span.param]!.storage);
    return [span.from + touched.min * size, span.from + (touched.max + 1) * size];
  };
  const a = bytesOf(x, r);
  const b = bytesOf(y, s);
  return a !== null && b !== null && a[0] < b[1] && b[0] < a[1];
}
