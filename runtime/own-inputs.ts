// Inputs that a caller writes in place. Inputs lie in the arena, where later steps of the plan put other values once they
// have been read; so a caller that keeps them would find them overwritten, and a run of another plan would too. A program
// whose inputs are asked for gets a place of its own for them, outside of the arena, and its kernels read them there.
//
// Which arguments mean an input is found from the plan alone: those that read where it lies, up to the first step that
// writes there.

import { reachOf, timesOfSteps } from './loops.ts';
import type { PlanManifest } from './plan.ts';
import { tensorBytes } from './tensor.ts';

/** An argument, or an output (`step` −1), that reads an input, from so many bytes behind its begin; in a loop, at first. */
export interface InputUse {
  readonly input: number;
  readonly step: number;
  readonly index: number;
  readonly offset: number;
}

/** All uses of inputs in a plan. */
export function findInputUses(manifest: PlanManifest): InputUse[] {
  const { inputs, steps, kernels, outputs } = manifest;
  const times = timesOfSteps(manifest);
  return inputs.flatMap(({ location, ...tensor }, input) => {
    if (location.space !== 'arena') return [];
    const begin = location.offset;
    const end = begin + tensorBytes(tensor);
    const uses: InputUse[] = [];
    for (const [step, { kernel, args, moves }] of steps.entries()) {
      let isWritten = false;
      for (const [index, at] of args.entries()) {
        if (at.space !== 'arena') continue;
        const { access, bytes } = kernels[kernel]!.params[index]!;
        const { least, most } = reachOf(moves?.[index], times[step]!);
        if (at.offset + least >= end || at.offset + most + bytes <= begin) continue;
        if (access === 'write') isWritten = true;
        else if (at.offset + least >= begin) uses.push({ input, step, index, offset: at.offset - begin });
      }
      if (isWritten) return uses;
    }
    for (const [index, { location: at }] of outputs.entries()) {
      if (at.space === 'arena' && at.offset >= begin && at.offset < end) {
        uses.push({ input, step: -1, index, offset: at.offset - begin });
      }
    }
    return uses;
  });
}
