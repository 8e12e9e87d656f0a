// The promise that a plan's text loses nothing: what it prints as reads back as an equal plan. Checked wherever plans are
// proved safe, so that a new field of the manifest cannot be forgotten in the text.

import type { Plan } from '../../runtime/plan.ts';
import { compilerError } from '../graph/errors.ts';
import { parsePlan } from './parse-plan.ts';
import { blobHash, planText } from './plan-text.ts';

/** Throws HDL0099, which names the field, when the plan's text does not read back as an equal plan. */
export function checkPlanText(plan: Plan): void {
  const { code, constants, manifest } = plan;
  const blobs = new Map([code, constants].map((bytes) => [blobHash(bytes), bytes]));
  const back = parsePlan(planText(plan), { blobs });
  const where = differenceOf(manifest, back.manifest, 'manifest');
  if (where === null && back.code === blobs.get(blobHash(code))) return;
  throw compilerError('HDL0099', {
    what: `internal: the text of plan '${manifest.entry}' does not read back as the same plan: ${where ?? 'code'} differs`,
    rule: 'printing and parsing lose nothing',
  });
}

/** The path of the first difference between two JSON values, or null. A field that is undefined is not there. */
export function differenceOf(a: unknown, b: unknown, path: string): string | null {
  if (Object.is(a, b)) return null;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return path;
  if (Array.isArray(a) !== Array.isArray(b)) return path;
  const [left, right] = [a, b].map(
    (x) => new Map(Object.entries(x).filter(([, value]) => value !== undefined)),
  );
  for (const key of new Set([...left!.keys(), ...right!.keys()])) {
    const inside = Array.isArray(a) ? `${path}[${key}]` : `${path}.${key}`;
    const found = differenceOf(left!.get(key), right!.get(key), inside);
    if (found !== null) return found;
  }
  return null;
}
