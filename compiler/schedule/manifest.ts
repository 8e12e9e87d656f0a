// The manifest as text and back. JSON holds all of it: integers below 2^53, strings, booleans.

import type { PlanManifest, PlanSchedule, ScheduleItem } from '../../runtime/plan.ts';
import { planFormat } from '../../runtime/plan.ts';
import { compilerError } from '../graph/errors.ts';

/** The manifest as JSON, one record of a list per line, so that texts can be compared line by line. */
export function manifestToJson(manifest: PlanManifest): string {
  const fields = Object.entries(manifest).map(([key, value]) => {
    if (key === 'schedules')
      return `  ${JSON.stringify(key)}: ${list(manifest.schedules.map(scheduleToJson), '  ')}`;
    if (!Array.isArray(value) || value.length === 0)
      return `  ${JSON.stringify(key)}: ${JSON.stringify(value)}`;
    return `  ${JSON.stringify(key)}: ${list(
      value.map((x) => JSON.stringify(x)),
      '  ',
    )}`;
  });
  return `{\n${fields.join(',\n')}\n}\n`;
}

function list(items: readonly string[], indent: string): string {
  return items.length === 0 ? '[]' : `[\n${indent}  ${items.join(`,\n${indent}  `)}\n${indent}]`;
}

function scheduleToJson(schedule: PlanSchedule): string {
  const lists = schedule.lists.map((items: readonly ScheduleItem[]) => JSON.stringify(items));
  return `{"workers": ${schedule.workers}, "lists": ${list(lists, '    ')}}`;
}

/** Reads what `manifestToJson` wrote. Throws HDL0006 for text that is no manifest of this format. */
export function manifestFromJson(text: string): PlanManifest {
  const fail = (what: string, cause?: unknown): Error =>
    compilerError(
      'HDL0006',
      {
        what,
        rule: `a manifest is a JSON record of format ${planFormat}`,
        hint: 'write it with manifestToJson',
      },
      cause === undefined ? undefined : { cause },
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fail(`the text of a plan's manifest is not JSON: ${(cause as Error).message}`, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fail("a plan's manifest is not a record");
  const manifest = value as Partial<PlanManifest>;
  if (manifest.format !== planFormat) throw fail(`a plan's manifest has format ${String(manifest.format)}`);
  for (const key of [
    'inputs',
    'outputs',
    'variables',
    'kernels',
    'steps',
    'schedules',
    'sites',
    'buffers',
  ] as const) {
    if (!Array.isArray(manifest[key])) throw fail(`a plan's manifest has no list '${key}'`);
  }
  return manifest as PlanManifest;
}
