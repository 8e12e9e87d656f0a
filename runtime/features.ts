// Engine features that a plan's code may need, by the names that plans use: whether this engine has them, and with which
// flags it takes code that uses them (compile-module.ts). In: names. Out: answers and flags.
//
// Node 20 has relaxed SIMD behind a flag of V8. The flag is on only while a module is probed or compiled, in one
// synchronous stretch, and then off as before: what is compiled under it runs, is optimised and is posted to workers like
// any other code, while a flag that stays on keeps Node from using its code cache (each worker that starts later takes
// 42 ms of processor time instead of 25, Node 20.20). Engines that pass the probe are never touched, and neither are
// those that have no such flag: newer ones print an error when it is set.
//
// Invariant: the process is left as it was found; nothing is remembered between calls.

import { type EngineFlag, type EngineVersion, isBefore, nodeEngine, underFlags } from './engine-flags.ts';
import { runtimeError } from './errors.ts';

/** Fused multiply-add, among others: the feature that plans come with and without. */
export const relaxedSimd = 'relaxed-simd';

interface Feature {
  /** A module that validates where the feature is there. */
  readonly probe: Uint8Array<ArrayBuffer>;
  /** The flag of V8 that has it before `since`. */
  readonly flag?: { readonly name: string; readonly since: EngineVersion };
  /** The environment variable by which a user refuses it: `0` does. */
  readonly refusal?: string;
}

/** How often to try under a flag: other threads may set it back. */
export const flagAttempts = 3;

/** `i8x16.splat(i32.const 0)`: some vector. */
const vector = [0x41, 0x00, 0xfd, 0x0f];

const features: Readonly<Record<string, Feature>> = {
  simd128: { probe: moduleOf(vector) },
  [relaxedSimd]: {
    // f32x4.relaxed_madd
    probe: moduleOf([...vector, ...vector, ...vector, 0xfd, 0x85, 0x02]),
    flag: { name: 'experimental-wasm-relaxed-simd', since: [11, 4] },
    refusal: 'HEDDLE_RELAXED',
  },
};

/**
 * Why code that needs this feature cannot run here: `this engine does not have it`; null when it can.
 *
 *     featureObstacle(relaxedSimd) === null // fused multiply-add may be used
 */
export function featureObstacle(name: string): string | null {
  const feature = Object.hasOwn(features, name) ? features[name] : undefined;
  if (feature === undefined) return 'this runtime does not know it';
  if (feature.refusal !== undefined && environment(feature.refusal) === '0')
    return `${feature.refusal}=0 refuses it`;
  const isThere = isValid(feature) || isValidUnderFlag(feature);
  return isThere ? null : 'this engine does not have it';
}

/** How this engine comes to have a feature, or why not: for reports. Throws RangeError for a name that is none. */
export function featureState(name: string): 'native' | 'flag' | 'refused' | 'absent' {
  const feature = Object.hasOwn(features, name) ? features[name] : undefined;
  if (feature === undefined) throw new RangeError(`there is no feature '${name}'`);
  if (feature.refusal !== undefined && environment(feature.refusal) === '0') return 'refused';
  if (isValid(feature)) return 'native';
  return featureObstacle(name) === null ? 'flag' : 'absent';
}

/** Throws HDL1006, with the reasons, unless a plan that needs these features can run here. */
export function requireFeatures(entry: string, names: readonly string[]): void {
  const missing = names.flatMap((name) => {
    const reason = featureObstacle(name);
    return reason === null ? [] : [{ name, reason }];
  });
  if (missing.length === 0) return;
  throw runtimeError('HDL1006', {
    what: `plan '${entry}' cannot be loaded: ${missing.map(({ name, reason }) => `it needs ${name}, and ${reason}`).join('; ')}`,
    rule: `a plan runs where all features are that its code needs: ${names.join(', ')}`,
    hint: missing.some(({ name }) => name === relaxedSimd)
      ? 'compile it with relaxed: false, or save the program with variants: true'
      : "compile it for target 'js', or run it in an engine that has these features",
  });
}

/** Flags with which this engine takes code that needs the features; null when it takes it as it is, or not at all. */
export function featureFlags(names: readonly string[]): readonly EngineFlag[] | null {
  const missing = names.map((name) => features[name]).filter((f) => f !== undefined && !isValid(f));
  const flags = missing.flatMap((f) => flagOf(f!) ?? []);
  return flags.length > 0 ? flags : null;
}

function isValid({ probe }: Feature): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(probe);
}

/** The flag to set here; null where there is no such flag. */
function flagOf({ flag }: Feature): EngineFlag | null {
  const engine = nodeEngine();
  return flag === undefined || engine === null || !isBefore(engine, flag.since)
    ? null
    : { name: flag.name, to: true };
}

function isValidUnderFlag(feature: Feature): boolean {
  const flag = flagOf(feature);
  if (flag === null) return false;
  // Another thread may have ended its own stretch in the middle of this one.
  for (let attempt = 0; attempt < flagAttempts; attempt++) {
    if (underFlags([flag], () => isValid(feature))) return true;
  }
  return false;
}

function environment(name: string): string | undefined {
  return typeof process === 'object' ? process.env?.[name] : undefined;
}

/** A module of one function without parameters that returns the vector which `body` leaves. */
function moduleOf(body: readonly number[]): Uint8Array<ArrayBuffer> {
  const code = [0x00, ...body, 0x0b];
  const section = (id: number, bytes: readonly number[]): number[] => [id, bytes.length, ...bytes];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [0x01, 0x60, 0x00, 0x01, 0x7b]),
    ...section(3, [0x01, 0x00]),
    ...section(10, [0x01, code.length, ...code]),
  ]);
}
