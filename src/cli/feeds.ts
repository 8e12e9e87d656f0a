// @node-only
// What an entry is fed from the command line: a JSON file of arrays, or made-up values of the right sizes.

import { readFileSync } from 'node:fs';
import type { Feed } from '../feeds.ts';
import type { Program } from '../program.ts';
import { bindShape, type Spec } from '../spec.ts';
import { sampleFeeds } from '../tune/sample-feeds.ts';
import type { Choice } from './choose.ts';
import { UserError } from './user-error.ts';

/** Feeds for an entry: floats between a half and one and the integer 0, where no file is given. */
export function feedsFor(
  program: Pick<Program, 'entries'>,
  { entry, dims }: Choice,
  file?: string,
): Record<string, Feed> {
  if (file !== undefined) return readFeeds(file);
  const { inputs } = program.entries.find((e) => e.name === entry)!;
  const specs = Object.fromEntries(inputs.map(({ name, dtype, shape }) => [name, { dtype, shape } as Spec]));
  const values = sampleFeeds(specs, dims);
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [
      name,
      { data: values[name]!, shape: bindShape(spec, dims) } as Feed,
    ]),
  );
}

/** `{ "x": [[1, 2], [3, 4]], "y": [0, 1] }` */
export function readFeeds(file: string): Record<string, Feed> {
  const value = readJson(file);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, Feed>;
  throw new UserError(`${file} is no record of arrays\n  try:  { "x": [[1, 2], [3, 4]] }`);
}

/** Throws UserError for a file that is not there or holds no JSON. */
export function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${(error as Error).message}`);
  }
}
