// Fusion into registers: sums over what a contraction has just computed are added up by its own kernel
// (kernel/schedule/summed.ts). A loss over the last layer's outputs, the gradient of a bias below the gradient that it is the sum
// of: apart, each reads again all that was written.
//
// In: steps in a valid order. Out: the same with such pairs as one, in a valid order. The sums take another order of additions
// than alone, which depends on shapes and target only.

import type { KernelPool } from '../kernel/pool.ts';
import type { LoweredStep } from '../schedule/lowered.ts';
import { type ChainDecision, type Chained, chainReasons } from './chain.ts';
import { joinedStep, StepPairs, sharedParams } from './step-pairs.ts';

/** Parameters of a joined kernel. */
const mostParams = 16;

/** Joins steps where that can be, and says which. */
export function sumBelow(steps: readonly LoweredStep[], pool: KernelPool): Chained {
  const decisions: ChainDecision[] = [];
  const pairs = new StepPairs(steps);
  for (let s = 0; s < pairs.steps.length; s++) {
    const maker = pairs.makerOf(s);
    if (maker === null) continue;
    const [first, second] = [pairs.steps[maker]!, pairs.steps[s]!];
    const at = first.kernel.tile === undefined ? null : pairs.placeFor(maker, s);
    const shared = at === null ? null : sharedParams(first, second);
    if (shared === null || first.args.length + shared.filter((p) => p === null).length > mostParams) continue;
    const kernel = pool.sumBelow(first.kernel, second.kernel, shared);
    if (kernel === null) continue;
    decisions.push({
      first: first.label,
      second: second.label,
      isJoined: true,
      reason: 'summed',
      because: chainReasons.summed,
      costs: null,
    });
    pairs.replace(maker, s, at!, joinedStep(first, second, shared, kernel));
    s--;
  }
  return { steps: pairs.steps, decisions };
}
