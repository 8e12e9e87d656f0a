// Profiles: where the time of an entry goes, kernel by kernel and worker by worker.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { relaxedSimd } from '../../runtime/features.ts';
import type { RunInput } from '../../runtime/tensor.ts';
import type { Compiled, Loaded } from '../engine.ts';
import type { Dims } from '../spec.ts';
import { measureCeilings } from './ceilings.ts';
import type { Profile, ProfileOptions } from './profile.ts';
import { memoryOf, summarise } from './summary.ts';

export { measureCeilings } from './ceilings.ts';
export { type FormatProfileOptions, formatProfile } from './format.ts';
export type { Profile, ProfileKernel, ProfileOptions, ProfileStep, ProfileTotals } from './profile.ts';
export type { Ceiling } from './roofline.ts';
export type { Trace, TraceEvent } from './trace.ts';

/** Runs an entry and profiles it. Throws HDL0017 for target `reference`, HDL1001 for counts that are none. */
export async function profileEntry(
  entry: string,
  dims: Dims,
  { plan }: Compiled,
  { measure }: Loaded,
  inputs: Readonly<Record<string, RunInput>>,
  { runs = 20, warmUp = 5, ceilings = false }: ProfileOptions,
): Promise<Profile> {
  if (plan === null || measure === null) {
    throw compilerError('HDL0017', {
      what: `profile of '${entry}'`,
      rule: "target 'reference' interprets the graph: there are no kernels to time",
      hint: "profile it with target 'wasm' or 'js'",
      loc: callerLocation(),
    });
  }
  const measured = await measure(inputs, { runs, warmUp });
  const { manifest } = plan;
  const ceiling =
    ceilings === true
      ? await measureCeilings(memoryOf(manifest), manifest.features.includes(relaxedSimd))
      : ceilings || null;
  return summarise(entry, dims, manifest, measured, ceiling);
}
