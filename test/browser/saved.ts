// Loads a saved file with the runtime alone, in a page or in Node: no import leads to the compiler.

import { load, type RunTensor } from '../../runtime/index.ts';

/** Trains on one batch for some steps, and gives their losses. */
export async function trainSaved(
  url: string,
  threads: number,
  steps: number,
  batch: { readonly x: readonly number[]; readonly y: readonly number[] },
): Promise<{ readonly threads: number; readonly losses: readonly number[] }> {
  const net = await load(url, { threads });
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const { loss } = await net.run('train', batch);
    losses.push((loss as RunTensor).data[0]!);
  }
  const { threads: used } = net.executor;
  await net.dispose();
  return { threads: used, losses };
}

Object.assign(globalThis, { trainSaved });
