// The contractions of a lowered graph by their keys: which tiles were given to them, and what they are known by in dumps
// and to those that measure them (src/tune/).
//
// In: definitions, one after the other, and the tiles that the user gave. Out: what to schedule in place of each, and at
// the end the list of contractions. A key that no contraction has gives its tile to nothing: tiles are for all entries and
// sizes of a program, and for all targets.

import { compilerError } from '../graph/errors.ts';
import { nearestName } from '../graph/nearest.ts';
import type { KernelDefinition } from '../kernel/definition.ts';
import type { Kernel, Target } from '../kernel/ir.ts';
import type { Prepare } from '../kernel/pool.ts';
import {
  allowedTiles,
  type Bound,
  contractionKey,
  isSame,
  type NewTemporary,
  prepareContraction,
  prepareWithTile,
  productOf,
  tilesFor,
  tunableOf,
} from '../kernel/schedule/index.ts';
import type { Schedules, Tile } from '../kernel/tiles.ts';
import type { LoweredStep } from '../schedule/lowered.ts';

/** A contraction of a compiled graph: all of its definitions that are equal. */
export interface ContractionInfo {
  readonly key: string;
  /** Scope path and ops of the first. */
  readonly label: string;
  readonly tile: Tile;
  /** The tile was given, not chosen. */
  readonly isGiven: boolean;
  /** The tiles that it can have, the fastest by the compiler's estimate first; of those cut alike, one. Takes some time. */
  readonly candidates: () => readonly TileCandidate[];
}

export interface TileCandidate {
  readonly tile: Tile;
  /** Estimate for one run, as a multiple of the best. */
  readonly ratio: number;
}

export class Contractions {
  readonly #target: Target;
  readonly #schedules: Schedules;
  readonly #isAny: boolean;
  /** By the text of the definition. */
  readonly #found = new Map<string, ContractionInfo>();

  constructor(target: Target, schedules: Schedules) {
    this.#target = target;
    this.#schedules = schedules;
    this.#isAny = Object.keys(schedules).length > 0;
  }

  /** What to schedule in place of a definition (pool.ts). Throws HDL0003 for a tile that it cannot have. */
  readonly prepare: Prepare = (bound, temporary, { key, name }) => {
    if (this.#isAny && productOf(bound.def) !== null) {
      const hash = contractionKey(key, this.#target);
      const given = Object.hasOwn(this.#schedules, hash) ? this.#schedules[hash]! : null;
      const parts = given && this.#withTile(hash, name, bound, temporary, given.tile);
      if (parts) return parts;
    }
    return prepareContraction(bound, this.#target, temporary);
  };

  /** Notes what a definition with this key (definition-key.ts) became; its own key, if that is a contraction. */
  note(text: string, def: KernelDefinition, calls: readonly { readonly kernel: Kernel }[]): string | null {
    const tile = calls.find(({ kernel }) => kernel.tile !== undefined)?.kernel.tile;
    if (tile === undefined) return null;
    const seen = this.#found.get(text);
    if (seen !== undefined) return seen.key;
    const key = contractionKey(text, this.#target);
    this.#found.set(text, {
      key,
      label: def.name,
      tile,
      isGiven: Object.hasOwn(this.#schedules, key),
      candidates: () => candidatesOf(def, this.#target),
    });
    return key;
  }

  /** In the order in which they were noted. */
  list(): readonly ContractionInfo[] {
    return [...this.#found.values()];
  }

  #withTile<Arg>(
    key: string,
    name: string,
    bound: Bound<Arg>,
    temporary: NewTemporary<Arg>,
    tile: readonly number[],
  ): Bound<Arg>[] | null {
    const tunable = tunableOf(bound.def, this.#target);
    if (tunable === null) return null;
    const all = tilesFor(tunable);
    const size = all.find((t) => isSame(t, { rows: tile[0]!, columns: tile[1]! }));
    const parts = size && prepareWithTile(tunable, bound, temporary, size);
    if (parts) return parts;
    const { form, lanes } = tunable.shape;
    const how =
      lanes === 1 ? 'without lanes' : `with lanes ${form} the ${form === 'across' ? 'columns' : 'reduction'}`;
    const listed = (tiles: readonly { readonly rows: number; readonly columns: number }[]): string =>
      tiles.map((t) => `[${t.rows}, ${t.columns}]`).join(', ');
    throw compilerError('HDL0003', {
      what: `schedules['${key}'] gives tile [${tile.join(', ')}] to contraction '${name}'`,
      rule: size
        ? `a tile leaves loops, lanes and the pieces of sums as they are; this contraction can have ${listed(allowedTiles(tunable))}`
        : `the tiles of target ${this.#target.name} for a contraction ${how} are ${listed(all)}`,
      hint: "use one of these, or what program.tune('entry', …) returns",
    });
  }
}

/** The steps with kernels whose schedule lines say the keys of the contractions that they serve. */
export function nameContractions(steps: readonly LoweredStep[]): LoweredStep[] {
  const keys = new Map<Kernel, string[]>();
  for (const { kernel, contraction } of steps) {
    if (kernel.tile === undefined || contraction === undefined) continue;
    const known = keys.get(kernel) ?? [];
    if (!known.includes(contraction)) keys.set(kernel, [...known, contraction]);
  }
  const named = new Map(
    [...keys].map(([kernel, list]) => [
      kernel,
      { ...kernel, schedule: `${kernel.schedule}, key ${list.join(' ')}` },
    ]),
  );
  return steps.map((step) => ({ ...step, kernel: named.get(step.kernel) ?? step.kernel }));
}

/** The tiles that were given to contractions of the graph: for the plan. */
export function tilesApplied(contractions: readonly ContractionInfo[]): Readonly<Record<string, Tile>> {
  return Object.fromEntries(contractions.filter((c) => c.isGiven).map(({ key, tile }) => [key, tile]));
}

/** Lines about the keys that no contraction has, each with the one that may have been meant; empty when there is none. */
export function tilesLeftAside(schedules: Schedules, contractions: readonly ContractionInfo[]): string {
  const keys = contractions.map((c) => c.key);
  const others = Object.keys(schedules).filter((key) => !keys.includes(key));
  if (others.length === 0) return '';
  const lines = others.map((key) => {
    const near = nearestName(key, keys);
    return `  ${key}${near === null ? '' : ` (near: ${near})`}`;
  });
  return `tiles given to no contraction of this plan\n${lines.join('\n')}\n`;
}

function candidatesOf(def: KernelDefinition, target: Target): readonly TileCandidate[] {
  const tunable = tunableOf(def, target);
  if (tunable === null) return [];
  const tiles = [...allowedTiles(tunable)].sort((a, b) => a.total - b.total);
  return tiles.map(({ rows, columns, total }) => ({ tile: [rows, columns], ratio: total / tiles[0]!.total }));
}
