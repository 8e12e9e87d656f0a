// Entry of a page that nobody drives: it fetches what to do, does it, and sends what came out, one message after the other.

import { double, isRelaxed, mistake, trace } from './programs.ts';

type JobName = 'double' | 'isRelaxed' | 'mistake' | 'trace';

export interface Job {
  readonly name: JobName;
  readonly args: readonly unknown[];
}

const known: Readonly<Record<JobName, (...args: never[]) => unknown>> = { double, isRelaxed, mistake, trace };
const jobs = (await (await fetch('jobs.json')).json()) as readonly Job[];
for (const [index, { name, args }] of jobs.entries()) {
  let result: unknown;
  try {
    result = await (known[name] as (...args: readonly unknown[]) => unknown)(...args);
  } catch (error) {
    result = String((error as Error).stack);
  }
  await fetch('result', { method: 'POST', body: JSON.stringify({ index, result }) });
}
