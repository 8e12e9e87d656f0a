// Pairs of steps of which the second reads what the first writes: which they are, where both may run as one, and that one
// step. For passes that join kernels (chain.ts, sum-below.ts). In: steps in a valid order, which stays one.

import type { Kernel } from '../kernel/ir.ts';
import type { BufferId, LoweredStep } from '../schedule/lowered.ts';

type Access = 'read' | 'write';

export class StepPairs {
  readonly steps: LoweredStep[];
  readonly #args = new Map<LoweredStep, Readonly<Record<Access, readonly BufferId[]>>>();

  constructor(steps: readonly LoweredStep[]) {
    this.steps = [...steps];
  }

  /** The buffers that a step reads or writes. */
  argsOf(s: number, access: Access): readonly BufferId[] {
    const step = this.steps[s]!;
    let known = this.#args.get(step);
    if (known === undefined) {
      const { args, kernel } = step;
      const of = (a: Access): BufferId[] => args.filter((_, p) => kernel.params[p]!.access === a);
      known = { read: of('read'), write: of('write') };
      this.#args.set(step, known);
    }
    return known[access];
  }

  /** The last step that writes something large which step s reads; null when it reads only what is given or small. */
  makerOf(s: number): number | null {
    const reads = this.argsOf(s, 'read');
    for (let m = s - 1; m >= 0; m--) if (this.argsOf(m, 'write').some((id) => reads.includes(id))) return m;
    return null;
  }

  /** Where both may run: at the place of one of them; null when neither can move to the other. */
  placeFor(a: number, b: number): number | null {
    const between = this.steps.slice(a + 1, b);
    const [first, second] = [this.steps[a]!, this.steps[b]!];
    const touches = (step: LoweredStep, ids: readonly BufferId[]): boolean =>
      step.args.some((id) => ids.includes(id));
    const writes = (step: LoweredStep, ids: readonly BufferId[]): boolean =>
      step.args.some((id, p) => step.kernel.params[p]!.access === 'write' && ids.includes(id));
    const [madeFirst, madeSecond] = [this.argsOf(a, 'write'), this.argsOf(b, 'write')];
    if (touches(first, madeSecond)) return null;
    if (between.every((x) => !touches(x, madeSecond) && !writes(x, second.args))) return a;
    if (between.every((x) => !touches(x, madeFirst) && !writes(x, first.args))) return b;
    return null;
  }

  /** The two at one of their places become one step. */
  replace(a: number, b: number, at: number, step: LoweredStep): void {
    this.steps[at] = step;
    this.steps.splice(at === b ? a : b, 1);
  }
}

/**
 * For each parameter of the second step the one of the first that stands for the same elements of the same buffer, or null. Null
 * for all: one of them writes a buffer that the other has from different elements on.
 */
export function sharedParams(first: LoweredStep, second: LoweredStep): readonly (number | null)[] | null {
  const base = (step: LoweredStep, param: number): number => step.bases?.[param] ?? 0;
  const shared = second.args.map((id, q) => {
    const p = first.args.findIndex((other, k) => other === id && base(first, k) === base(second, q));
    return p < 0 ? null : p;
  });
  const isMoved = second.args.some((id, q) => {
    const k = first.args.indexOf(id);
    const isWritten =
      first.kernel.params[k]?.access === 'write' || second.kernel.params[q]!.access === 'write';
    return shared[q] === null && k >= 0 && isWritten;
  });
  return isMoved ? null : shared;
}

/** One step for both: arguments are those of the first, then those of the second that are not shared. */
export function joinedStep(
  first: LoweredStep,
  second: LoweredStep,
  shared: readonly (number | null)[],
  kernel: Kernel,
): LoweredStep {
  const more = second.args.filter((_, q) => shared[q] === null);
  const moreBases = second.args.flatMap((_, q) => (shared[q] === null ? [second.bases?.[q] ?? 0] : []));
  const bases = [...first.args.map((_, k) => first.bases?.[k] ?? 0), ...moreBases];
  const { bases: _, ...rest } = first;
  return {
    ...rest,
    ...(bases.some((b) => b > 0) && { bases }),
    label: `${first.label}; ${second.label}`,
    kernel,
    args: [...first.args, ...more],
    nodes: [...new Set([...(first.nodes ?? []), ...(second.nodes ?? [])])],
  };
}
