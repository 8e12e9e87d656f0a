// Shared ranges: which units may be run by whoever has time. Units are handed out evenly (partition.ts), and yet workers are not
// done at the same time: cores differ, and other programs run on them. Measured on ResNet-8's training step on two cores of
// a virtual machine: of what the schedule can know 0.5 % is lost, of what only the run can know 5 to 40 %, with the state of
// the machine. So the ranges of long steps are shared: a worker that is done takes from the others (runtime/offers.ts).
//
//   worker 0   3 [0, 32) shared 2 ║         two units at a time or more
//   worker 1   3 [32, 64) shared 2 ║
//
// A range may be shared when nothing between the barriers around it depends on it or comes before it, which is so for all
// steps of one phase whose units may run on any worker. Where a barrier was merged away, workers go on with what they wrote
// themselves, and nobody may take it from them. In and out: the lists of one schedule.

import type { Location, PlanSchedule, RunItem, ScheduleItem } from '../../runtime/plan.ts';
import type { Kernel, Machine } from '../kernel/ir.ts';
import { workOf } from './cost.ts';
import type { Phases } from './phases.ts';

/** A piece takes at least so many calls' time, so that taking it is cheap. */
const pieceCalls = 64;
/** A range that is shared has at least so many pieces of the smallest size. */
const fewestPieces = 4;

/** A call, and where its arguments lie. */
export interface PlacedStep {
  readonly kernel: Kernel;
  readonly args: readonly Location[];
}

export interface ShareContext {
  readonly steps: readonly PlacedStep[];
  readonly phases: Phases;
  readonly machine: Machine;
}

/** The lists with shared ranges, where all work between two barriers is of one phase and all workers meet at both. */
export function shareUnits(schedule: PlanSchedule, context: ShareContext): PlanSchedule {
  if (schedule.workers === 1) return schedule;
  const parts = schedule.lists.map(splitAtBarriers);
  const barriers = schedule.lists.map((list) => list.filter((item) => item.do === 'barrier'));
  /** Whether all meet before a part: at the beginning and at the end of a run they do. */
  const meets = (p: number): boolean => barriers[0]![p - 1]?.after === undefined;
  const lists = schedule.lists.map((): ScheduleItem[] => []);
  for (let p = 0; p < parts[0]!.length; p++) {
    const items = parts.map((list) => list[p]!);
    const mayShare =
      isOnePhase(items.flat(), context) &&
      items.filter((own) => own.length > 0).length > 1 &&
      meets(p) &&
      meets(p + 1);
    items.forEach((own, worker) => {
      const list = lists[worker]!;
      if (p > 0) list.push(barriers[worker]![p - 1]!);
      for (const item of own) {
        const shared = mayShare ? unitsPerPiece(item, context) : null;
        list.push(shared === null ? item : { ...item, shared });
      }
    });
  }
  return { ...schedule, lists };
}

/** Whether some range of a part of a list is long enough to be shared. */
export function hasLongRange(items: readonly RunItem[], context: ShareContext): boolean {
  return items.some((item) => unitsPerPiece(item, context) !== null);
}

/** A list cut at its barriers. In it a loop is a step like any other. */
export function splitAtBarriers(list: readonly ScheduleItem[]): RunItem[][] {
  const parts: RunItem[][] = [[]];
  for (const item of list) {
    if (item.do === 'barrier') parts.push([]);
    else if (item.do === 'run') parts.at(-1)!.push(item);
  }
  return parts;
}

function isOnePhase(items: readonly RunItem[], { phases }: ShareContext): boolean {
  return items.every(({ step }) => phases.of[step] === phases.of[items[0]!.step]);
}

/** Units of the smallest piece; null when the range is not worth it, the step belongs to a group, or is a loop. */
function unitsPerPiece({ step, begin, end }: RunItem, context: ShareContext): number | null {
  const { steps, phases, machine } = context;
  const { kernel } = steps[step]!;
  if (phases.group[step]! >= 0 || kernel.isLoop) return null;
  const each = workOf(kernel, machine) / kernel.unit.extent;
  const units = Math.max(1, Math.ceil((pieceCalls * machine.callNs) / each));
  return end - begin >= fewestPieces * units ? units : null;
}
