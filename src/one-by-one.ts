// Many steps as a plain loop over runs of one step: what a run of many steps means, for the interpreter, and for tests to
// compare with.

import type { HostRows, ResidentRows, StepFeed } from '../runtime/step-feed.ts';
import { howToKeep } from '../runtime/step-outputs.ts';
import type { StepsRequest, StepsResult } from '../runtime/steps.ts';
import { makeData, type RunInput, type RunTensor } from '../runtime/tensor.ts';
import { gatherRows } from './data/batches.ts';

type Inputs = Readonly<Record<string, RunInput>>;

/** An entry that runs step by step. */
export interface SingleSteps {
  run(inputs: Inputs): Promise<Record<string, RunTensor>>;
  /** Sets a scalar variable. */
  set(name: string, value: number): void;
  /** What was kept. */
  rowsOf(rows: ResidentRows): HostRows;
  /** Elements of each input. */
  readonly elements: Readonly<Record<string, number>>;
}

/** Runs `request.steps` steps, one by one. */
export async function runOneByOne(single: SingleSteps, request: StepsRequest): Promise<StepsResult> {
  const { steps, feed, keep = {}, schedules = {}, watch, signal, onProgress } = request;
  const all: Record<string, RunTensor>[] = [];
  let end: StepsResult['end'] = 'complete';
  for (let step = 0; step < steps; step++) {
    if (signal?.aborted) {
      end = 'aborted';
      break;
    }
    const inputs = await inputsOf(single, feed, step, steps);
    if (inputs === null) {
      end = 'feedEnded';
      break;
    }
    for (const [name, values] of Object.entries(schedules)) single.set(name, Number(values[step]));
    const results = await single.run(inputs);
    all.push(results);
    onProgress?.(step + 1);
    if (watch !== undefined && !Number.isFinite(results[watch]!.data[0])) {
      end = 'notFinite';
      break;
    }
  }
  const outputs: Record<string, RunTensor> = {};
  for (const [name, last] of Object.entries(all.at(-1) ?? {})) {
    const how = howToKeep(keep, name, last.data.byteLength);
    if (how === 'last' && end !== 'aborted') outputs[name] = last;
    if (how === 'each') outputs[name] = stack(all.map((results) => results[name]!));
  }
  return { done: all.length, end, outputs };
}

async function inputsOf(
  { rowsOf, elements }: SingleSteps,
  feed: StepFeed,
  step: number,
  steps: number,
): Promise<Inputs | null> {
  if (feed.kind === 'constant') return feed.inputs;
  if (feed.kind === 'stream') {
    const next = await feed.batches.next();
    return next.done ? null : next.value;
  }
  const batch = feed.indices.length / steps;
  const list = feed.indices.subarray(step * batch, (step + 1) * batch);
  const rows = feed.kind === 'rows' ? rowsOf(feed.rows) : feed.rows;
  return Object.fromEntries(
    Object.entries(elements).map(([name, count]) => [
      name,
      gatherRows({ data: rows[name]!, rowSize: count / batch }, list),
    ]),
  );
}

function stack(tensors: readonly RunTensor[]): RunTensor {
  const { dtype, shape, data } = tensors[0]!;
  const stacked = makeData(dtype, data.length * tensors.length);
  tensors.forEach((tensor, i) => {
    stacked.set(tensor.data, i * data.length);
  });
  return { dtype, shape: [tensors.length, ...shape], data: stacked };
}
