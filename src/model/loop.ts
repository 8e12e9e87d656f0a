// The loop over batches that training, evaluation and prediction share.

import { runtimeError } from '../../runtime/errors.ts';
import type { RunTensor } from '../../runtime/tensor.ts';
import { gatherRows } from '../data/batches.ts';
import type { Feed } from '../feeds.ts';
import type { Program } from '../program.ts';
import type { RowsByName } from './examples.ts';

/** Runs an entry for each batch, gathering the next one while it runs, until `visit` returns false. */
export async function overBatches(
  program: Program,
  name: string,
  rows: RowsByName,
  batches: Iterable<Int32Array>,
  prepare: ((examples: number) => Promise<void>) | null,
  visit: (results: Readonly<Record<string, RunTensor>>, examples: number) => boolean,
): Promise<void> {
  const gather = (indices: Int32Array): Record<string, Feed> =>
    Object.fromEntries(
      Object.entries(rows).map(([key, r]) => [
        key,
        { data: gatherRows(r, indices), shape: [indices.length, ...r.shape] },
      ]),
    );
  const iterator = batches[Symbol.iterator]();
  let next = iterator.next();
  let feeds = next.done ? null : gather(next.value);
  while (feeds !== null) {
    const examples: number = next.value!.length;
    await prepare?.(examples);
    const running: Promise<Readonly<Record<string, RunTensor>>> = program.run(name, feeds);
    // A failing run is told by `await` below; gathering must not let it go by unhandled.
    running.catch(() => {});
    next = iterator.next();
    feeds = next.done ? null : gather(next.value);
    if (!visit(await running, examples)) return;
  }
}

/** What is said when a loss is no longer finite. */
export function divergence(loss: number, epoch: number, step: number): Error {
  return runtimeError('HDL1005', {
    what: `the loss is ${loss} at step ${step}, in epoch ${epoch}`,
    rule: 'training goes on only from a finite loss',
    hint: 'lower the learning rate, scale the inputs, or clip gradients; checkNumerics: true names the first op that is not finite',
  });
}
