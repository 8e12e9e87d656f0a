// Barriers: between which consecutive steps all workers must meet. A barrier stands before a step that depends on a step
// of the same phase (dependences.ts) unless one worker does both, one after the other.
//
// Small steps run on one worker, so a chain of small steps (scalars of a loss, an optimizer's counters) is a group
// without barriers inside. Steps whose units go to several workers never depend on each other within a phase. (Barriers
// between steps of which each worker reads only what it wrote itself could go too; a group would then be a split.)

import type { Phase, Phases } from './phases.ts';

export interface StepCost {
  /** The whole step goes to one worker. */
  readonly isSerial: boolean;
  /** A loop is a phase of its own: it has barriers inside. */
  readonly isLoop?: boolean;
  readonly cost: number;
}

/** Phases with more steps than this are cut, as lifetimes grow to whole phases. Chains on one worker may be longer. */
const longestPhase = 64;

/** Whether steps [begin, end] may all run at once: what any of them needs is then alive in all of them. */
export type FitsAtOnce = (begin: number, end: number) => boolean;

/**
 * Greedy in the given order: each step joins the phase before it when it may. `smallCost` bounds what may be chained in
 * a phase where other workers have something else to do.
 */
export function findPhases(
  before: readonly (readonly number[])[],
  costs: readonly StepCost[],
  smallCost: number,
  fitsAtOnce: FitsAtOnce = () => true,
): Phases {
  const steps = before.length;
  const of = new Int32Array(steps);
  const group = new Int32Array(steps).fill(-1);
  const phases: Phase[] = [];
  let begin = 0;
  /** Steps of each group of the phase, and their cost. */
  let groups = new Map<number, { steps: number[]; cost: number }>();
  let hasParallel = false;

  const isPure = (): boolean => !hasParallel && groups.size <= 1;
  const close = (end: number): void => {
    if (end > begin) phases.push({ begin, end, isSequential: isPure() });
    begin = end;
    groups = new Map();
    hasParallel = false;
  };
  /** The groups in this phase that the step must follow, or null when it must wait for a barrier. */
  const joinable = (j: number): number[] | null => {
    const inside = before[j]!.filter((i) => i >= begin);
    if (inside.length === 0) return j - begin < longestPhase ? [] : null;
    const { isSerial, cost } = costs[j]!;
    if (!isSerial || inside.some((i) => group[i] === -1)) return null;
    const wanted = [...new Set(inside.map((i) => group[i]!))].sort((a, b) => a - b);
    if (isPure()) return wanted;
    // Groups that merge lose their parallelism: all but the largest must be small.
    const sorted = wanted.map((g) => groups.get(g)!.cost).sort((a, b) => b - a);
    const lost = sorted.slice(1).reduce((sum, c) => sum + c, 0);
    return j - begin < longestPhase && cost <= smallCost && lost <= smallCost ? wanted : null;
  };

  for (let j = 0; j < steps; j++) {
    if (costs[j]!.isLoop) {
      close(j);
      of[j] = phases.length;
      hasParallel = true;
      close(j + 1);
      continue;
    }
    let follows = joinable(j);
    if (follows !== null && j > begin) {
      const staysPure = !hasParallel && costs[j]!.isSerial && follows.length === groups.size;
      if (!staysPure && !fitsAtOnce(begin, j)) follows = null;
    }
    if (follows === null) {
      close(j);
      follows = [];
    }
    of[j] = phases.length;
    const { isSerial, cost } = costs[j]!;
    if (!isSerial) {
      hasParallel = true;
      continue;
    }
    const id = follows[0] ?? j;
    const own = groups.get(id) ?? { steps: [], cost: 0 };
    for (const other of follows.slice(1)) {
      const merged = groups.get(other)!;
      for (const i of merged.steps) group[i] = id;
      own.steps.push(...merged.steps);
      own.cost += merged.cost;
      groups.delete(other);
    }
    own.steps.push(j);
    own.cost += cost;
    groups.set(id, own);
    group[j] = id;
  }
  close(steps);
  return { phases, of, group };
}
