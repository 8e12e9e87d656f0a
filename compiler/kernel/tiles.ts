// Tiles as users give them: data, to be kept in a file and shipped. In: an option. Out: the same, checked, in one order and
// without what is said beside it, or the numbered error.

import { compilerError } from '../graph/errors.ts';

/** Rows and columns of a register tile, in elements. */
export type Tile = readonly [rows: number, columns: number];

/** Tiles by the keys of contractions. More may be said of each, as `tune` does. */
export type Schedules = Readonly<Record<string, { readonly tile: readonly number[] }>>;

const keyForm = /^[0-9a-f]{10}$/;

/**
 * The tiles, sorted by key. Throws HDL0003 for keys and tiles that cannot be any.
 *
 * @example checkSchedules({ '3fa9c2d1e0': { tile: [4, 8], ms: 0.21 } }) // { '3fa9c2d1e0': { tile: [4, 8] } }
 */
export function checkSchedules(schedules: Schedules): Readonly<Record<string, { readonly tile: Tile }>> {
  const given: unknown = schedules;
  if (!isRecord(given)) {
    throw wrong(
      `option schedules is ${JSON.stringify(given) ?? String(given)}`,
      'schedules is a record of tiles by the keys of contractions',
    );
  }
  const entries = Object.entries(given).map(([key, value]) => {
    const tile = isRecord(value) ? value['tile'] : undefined;
    if (!keyForm.test(key)) {
      throw wrong(
        `schedules has a key '${key}'`,
        "the key of a contraction is ten hexadecimal digits, as dump('kernels') shows them",
      );
    }
    if (!isTile(tile)) {
      throw wrong(
        `schedules['${key}'] has tile ${JSON.stringify(tile) ?? 'undefined'}`,
        'a tile is [rows, columns], two positive integers',
      );
    }
    return [key, { tile }] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isTile(value: unknown): value is Tile {
  return Array.isArray(value) && value.length === 2 && value.every((n) => Number.isInteger(n) && n > 0);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function wrong(what: string, rule: string): Error {
  return compilerError('HDL0003', {
    what,
    rule,
    hint: "schedules: { '3fa9c2d1e0': { tile: [4, 8] } }; or what program.tune('entry', …) returns as schedules",
  });
}
