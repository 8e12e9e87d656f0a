// Plans, and the values that their variables start with, as one file of sections (sections.ts).
//
// A plan may be there in several variants: for engines with and without a feature. Section `variants` then lists the
// numbers of the plans that belong together, best first; without it every plan stands by itself.
//
// Nothing in a file is believed: checksums first, that code and manifest belong together (binding.ts), then every number of every manifest (validate.ts), then what the code
// asks for (wasm-module.ts). Code for target `js` is a program with all rights of whoever runs it, so it is only given out
// when the caller says that it trusts the file.

import { bindCode, unbindCode } from './binding.ts';
import { runtimeError } from './errors.ts';
import { featureObstacle, relaxedSimd } from './features.ts';
import type { Plan, PlanManifest, PlanVariable } from './plan.ts';
import { readSections, refuse, type Section, type SectionKind, writeSections } from './sections.ts';
import {
  elementCount,
  formatTensor,
  type InitialValues,
  makeData,
  type RunTensor,
  tensorBytes,
  toData,
} from './tensor.ts';
import { validatePlan } from './validate.ts';

/** What a file holds. */
export interface SavedPlans {
  /** What to run here: of each plan the first variant whose features this engine has; the last if it has none. */
  readonly plans: readonly Plan[];
  /** Every plan with all of its variants, best first. */
  readonly variants: readonly (readonly Plan[])[];
  /** Values that were saved, by name of the variable. */
  readonly variables: ReadonlyMap<string, RunTensor>;
}

export interface LoadPlansOptions {
  /** `false`: no variants that use fused multiply-add, so that results are the same on every machine. */
  readonly relaxed?: boolean;
  /** `js` also takes plans for target `js`: these are programs, which may do whatever this process may. */
  readonly trust?: 'js';
}

/**
 * Writes plans and, for the variables that `values` gives something for, their values: row-major, as for `load`. In place
 * of a plan there may be its variants, best first: plans of one entry with the same inputs, outputs and variables, for
 * engines with different features. Throws HDL1006 (a plan is not well-formed, variants differ), HDL1001 (a value does
 * not fit).
 *
 *     const bytes = savePlans([train, predict], (variable) => executor.get(variable.name).data);
 */
export function savePlans(
  plans: readonly (Plan | readonly Plan[])[],
  values?: InitialValues,
): Uint8Array<ArrayBuffer> {
  const variants = plans.map((item) => ('manifest' in item ? [item] : item));
  const all = variants.flat();
  all.forEach(validatePlan);
  checkVariants(variants);
  const sections: Section[] = all.flatMap(({ manifest, code, constants }, number) => {
    const text = toJson(manifest);
    return [
      { kind: 'manifest', number, bytes: text },
      { kind: 'code', number, bytes: manifest.target === 'wasm' ? bindCode(code, text, constants) : code },
      { kind: 'constants', number, bytes: constants },
    ];
  });
  if (all.length > variants.length) {
    let next = 0;
    const numbers = variants.map((list) => list.map(() => next++));
    sections.push({ kind: 'variants', number: 0, bytes: toJson(numbers) });
  }
  const saved: { name: string; data: Uint8Array }[] = [];
  for (const variable of distinctVariables(all).values()) {
    const given = values?.(variable);
    if (given === undefined) continue;
    const data = toData(`value of variable '${variable.name}'`, variable, given);
    saved.push({ name: variable.name, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
  }
  sections.push({ kind: 'names', number: 0, bytes: toJson(saved.map(({ name }) => name)) });
  saved.forEach(({ data }, number) => {
    sections.push({ kind: 'values', number, bytes: data });
  });
  return writeSections(sections);
}

/**
 * Reads what `savePlans` has written, and picks the variants that run here. Throws HDL1006 with the reason for a file of
 * another version, cut short, changed, of plans that are not well-formed, or of JavaScript without `trust: 'js'`.
 */
export function loadPlans(bytes: Uint8Array, options: LoadPlansOptions = {}): SavedPlans {
  const sections = readSections(bytes);
  const find = (kind: SectionKind, number: number): Uint8Array => {
    const found = sections.filter((section) => section.kind === kind && section.number === number);
    if (found.length !== 1) throw refuse(`it has ${found.length} sections '${kind}' of number ${number}`);
    return found[0]!.bytes;
  };
  const count = sections.filter((section) => section.kind === 'manifest').length;
  const all: Plan[] = [];
  for (let number = 0; number < count; number++) {
    const text = find('manifest', number);
    const constants = find('constants', number);
    const manifest = fromJson(text) as PlanManifest;
    const isJs = (manifest as Partial<PlanManifest> | null)?.target === 'js';
    const code = isJs ? find('code', number) : unbindCode(find('code', number), text, constants);
    if (code === null)
      throw refuse(`the code of plan ${number} belongs to another manifest, or to other constants`);
    const plan: Plan = { manifest, code, constants };
    validatePlan(plan);
    if (plan.manifest.target === 'js' && options.trust !== 'js') throw untrusted(plan.manifest.entry);
    all.push(plan);
  }
  const isGrouped = sections.some((section) => section.kind === 'variants');
  const variants = isGrouped ? groupVariants(all, fromJson(find('variants', 0))) : all.map((plan) => [plan]);
  checkVariants(variants);
  const names = fromJson(find('names', 0));
  if (!Array.isArray(names)) throw refuse('its list of variables is not a list');
  if (new Set(names).size !== names.length) throw refuse('it has two values for one variable');
  const expected = 3 * count + Number(isGrouped) + 1 + names.length;
  if (sections.length !== expected) {
    throw refuse(`it has ${sections.length} sections, its plans and variables make ${expected}`);
  }
  const known = distinctVariables(all);
  const variables = new Map<string, RunTensor>();
  names.forEach((name: unknown, number) => {
    const variable = typeof name === 'string' ? known.get(name) : undefined;
    if (variable === undefined)
      throw refuse(`it has a value for ${JSON.stringify(name)}, no variable of its plans`);
    variables.set(variable.name, toTensor(variable, find('values', number)));
  });
  return { plans: variants.map((list) => pickVariant(list, options)), variants, variables };
}

function pickVariant(variants: readonly Plan[], options: { readonly relaxed?: boolean }): Plan {
  const isWanted = (feature: string): boolean => options.relaxed !== false || feature !== relaxedSimd;
  const runs = ({ manifest }: Plan): boolean =>
    manifest.features.every((feature) => isWanted(feature) && featureObstacle(feature) === null);
  // Where none runs, loading the last one tells what is missing.
  return variants.find(runs) ?? variants.at(-1)!;
}

/** The plans in lists as `numbers` says: each plan once, in order. */
function groupVariants(plans: readonly Plan[], numbers: unknown): Plan[][] {
  const lists = Array.isArray(numbers) ? (numbers as unknown[]) : [];
  const isOrdered = JSON.stringify(lists.flat()) === JSON.stringify([...plans.keys()]);
  if (!isOrdered || !lists.every((list) => Array.isArray(list) && list.length > 0))
    throw refuse('its list of variants does not name each plan once, in order');
  return lists.map((list) => (list as number[]).map((number) => plans[number]!));
}

/** Whoever runs a variant in place of another must not notice but by its results' last bits. */
function checkVariants(variants: readonly (readonly Plan[])[]): void {
  const face = ({ manifest: { entry, inputs, outputs, variables } }: Plan): string =>
    JSON.stringify([
      entry,
      ...[inputs, outputs].map((list) => list.map(({ name, dtype, shape }) => [name, dtype, shape])),
      variables.map(({ name, dtype, shape, order, updated }) => [name, dtype, shape, order, updated]),
    ]);
  for (const [first, ...others] of variants) {
    if (first === undefined) throw refuse('a plan has no variants');
    if (others.some((other) => face(other) !== face(first))) {
      throw refuse(`variants of '${first.manifest.entry}' differ in entry, inputs, outputs or variables`);
    }
  }
}

/** Variables of all plans by name, in order of first appearance; plans that do not agree are refused. */
function distinctVariables(plans: readonly Plan[]): Map<string, PlanVariable> {
  const distinct = new Map<string, PlanVariable>();
  for (const { manifest } of plans) {
    for (const variable of manifest.variables) {
      const known = distinct.get(variable.name);
      if (known === undefined) distinct.set(variable.name, variable);
      else if (formatTensor(known) !== formatTensor(variable)) {
        throw refuse(
          `variable '${variable.name}' is ${formatTensor(variable)} in '${manifest.entry}', elsewhere ${formatTensor(known)}`,
        );
      }
    }
  }
  return distinct;
}

function toTensor(variable: PlanVariable, bytes: Uint8Array): RunTensor {
  const { dtype, shape, name } = variable;
  if (bytes.length !== tensorBytes(variable)) {
    throw refuse(
      `the value of '${name}' has ${bytes.length} bytes, ${formatTensor(variable)} needs ${tensorBytes(variable)}`,
    );
  }
  const data = makeData(dtype, elementCount(shape));
  new Uint8Array(data.buffer).set(bytes);
  return { dtype, shape: [...shape], data };
}

function toJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function fromJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refuse(`it holds text that is no JSON: ${(cause as Error).message}`);
  }
}

function untrusted(entry: string): Error {
  return runtimeError('HDL1006', {
    what: `saved plans cannot be loaded: plan '${entry}' is for target 'js'`,
    rule: 'its code is JavaScript, which nothing confines: it may do whatever this process may',
    hint: "save it from a program of target 'wasm', or pass trust: 'js' if you know who made the file",
  });
}
