// Plans, and the values that their variables start with, as one file. Numbers are little-endian.
//
//     0    8  magic: 89 'HDLP' 0d 0a 1a, so that a transfer as text, or a cut, shows in the first bytes
//     8    4  version
//     12   4  number of sections
//     16   8  bytes of the file
//     24  32  SHA-256 of all other bytes
//     56      table, 24 bytes per section: kind (4), number of its plan or variable (4), offset (8), bytes (8)
//             sections, in the order of the table, each at a multiple of 8
//
// A plan may be there in several variants: for engines with and without a feature. Section `variants` then lists the
// numbers of the plans that belong together, best first; without it every plan stands by itself.
//
// The checksum finds damage. It is no signature: whoever wants to know who made a file has to sign it.

import { runtimeError } from './errors.ts';
import { featureObstacle, relaxedSimd } from './features.ts';
import type { Plan, PlanManifest, PlanVariable } from './plan.ts';
import { sha256 } from './sha256.ts';
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

const version = 1;
const magic = [0x89, 0x48, 0x44, 0x4c, 0x50, 0x0d, 0x0a, 0x1a];
const checksumAt = 24;
const tableAt = 56;
const entryBytes = 24;

const kinds = { manifest: 1, code: 2, constants: 3, names: 4, values: 5, variants: 6 } as const;
type Kind = keyof typeof kinds;

interface Section {
  readonly kind: Kind;
  readonly number: number;
  readonly bytes: Uint8Array;
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
  const sections: Section[] = all.flatMap((plan, number) => [
    { kind: 'manifest', number, bytes: toJson(plan.manifest) },
    { kind: 'code', number, bytes: plan.code },
    { kind: 'constants', number, bytes: plan.constants },
  ]);
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
  return write(sections);
}

/**
 * Reads what `savePlans` has written, and picks the variants that run here; with `relaxed: false` none that use fused
 * multiply-add, so that results are the same on every machine. Throws HDL1006 with the reason for a file of another
 * version, cut short, changed, or of plans that are not well-formed.
 */
export function loadPlans(bytes: Uint8Array, options: { readonly relaxed?: boolean } = {}): SavedPlans {
  const sections = read(bytes);
  const find = (kind: Kind, number: number): Uint8Array => {
    const found = sections.filter((section) => section.kind === kind && section.number === number);
    if (found.length !== 1) throw refuse(`it has ${found.length} sections '${kind}' of number ${number}`);
    return found[0]!.bytes;
  };
  const count = sections.filter((section) => section.kind === 'manifest').length;
  const all: Plan[] = [];
  for (let number = 0; number < count; number++) {
    const plan: Plan = {
      manifest: fromJson(find('manifest', number)) as PlanManifest,
      code: find('code', number),
      constants: find('constants', number),
    };
    validatePlan(plan);
    all.push(plan);
  }
  const isGrouped = sections.some((section) => section.kind === 'variants');
  const variants = isGrouped ? groupVariants(all, fromJson(find('variants', 0))) : all.map((plan) => [plan]);
  checkVariants(variants);
  const names = fromJson(find('names', 0));
  if (!Array.isArray(names)) throw refuse('its list of variables is not a list');
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

function write(sections: readonly Section[]): Uint8Array<ArrayBuffer> {
  const align = (offset: number) => Math.ceil(offset / 8) * 8;
  let end = align(tableAt + sections.length * entryBytes);
  const offsets = sections.map(({ bytes }) => {
    const offset = end;
    end = align(offset + bytes.length);
    return offset;
  });
  const file = new Uint8Array(end);
  const view = new DataView(file.buffer);
  file.set(magic);
  view.setUint32(8, version, true);
  view.setUint32(12, sections.length, true);
  view.setBigUint64(16, BigInt(end), true);
  sections.forEach(({ kind, number, bytes }, i) => {
    const at = tableAt + i * entryBytes;
    view.setUint32(at, kinds[kind], true);
    view.setUint32(at + 4, number, true);
    view.setBigUint64(at + 8, BigInt(offsets[i]!), true);
    view.setBigUint64(at + 16, BigInt(bytes.length), true);
    file.set(bytes, offsets[i]!);
  });
  file.set(checksum(file), checksumAt);
  return file;
}

/** Sections are copies: they do not keep the file alive, and nobody can change them behind our back. */
function read(file: Uint8Array): Section[] {
  if (!(file instanceof Uint8Array)) throw refuse('it is not given as a Uint8Array');
  if (magic.some((byte, i) => file[i] !== byte)) throw refuse('it does not start as a file of saved plans');
  if (file.length < tableAt) throw refuse(`it is cut short: ${file.length} bytes do not even hold its head`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found = view.getUint32(8, true);
  if (found !== version) throw refuse(`it has version ${found}, this runtime reads version ${version}`);
  const total = Number(view.getBigUint64(16, true));
  if (file.length < total) throw refuse(`it is cut short: ${file.length} of ${total} bytes`);
  if (file.length > total) throw refuse(`it has ${file.length - total} bytes too many`);
  const expected = file.subarray(checksumAt, tableAt);
  if (checksum(file).some((byte, i) => byte !== expected[i])) {
    throw refuse('its checksum does not fit its contents: it was changed or damaged');
  }
  // The checksum only says that these bytes were written so, not that we wrote them.
  const count = view.getUint32(12, true);
  if (tableAt + count * entryBytes > file.length) throw refuse('its table is longer than the file');
  const names = Object.keys(kinds) as Kind[];
  return Array.from({ length: count }, (_, i) => {
    const at = tableAt + i * entryBytes;
    const kind = names.find((name) => kinds[name] === view.getUint32(at, true));
    const offset = Number(view.getBigUint64(at + 8, true));
    const length = Number(view.getBigUint64(at + 16, true));
    if (kind === undefined) throw refuse(`section ${i} is of an unknown kind`);
    if (offset < tableAt || offset + length > file.length)
      throw refuse(`section ${i} is not inside the file`);
    return { kind, number: view.getUint32(at + 4, true), bytes: file.slice(offset, offset + length) };
  });
}

function checksum(file: Uint8Array): Uint8Array {
  return sha256(file.subarray(0, checksumAt), file.subarray(tableAt));
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

function refuse(reason: string): Error {
  return runtimeError('HDL1006', {
    what: `saved plans cannot be loaded: ${reason}`,
    rule: 'a file is loaded whole and unchanged, as savePlans wrote it',
    hint: 'copy the file again in binary mode, or save the plans again with this version',
  });
}
