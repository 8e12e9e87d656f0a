// Many steps in one call: what a person says about them, and how that is bound to an entry. A feed is the same inputs for
// each step, rows of data that lie in the program's memory, or batches from an iterator.

import { runtimeError } from '../runtime/errors.ts';
import type { StepFeed } from '../runtime/step-feed.ts';
import type { Keep } from '../runtime/step-outputs.ts';
import type { RunData, RunInput } from '../runtime/tensor.ts';
import { bindFeeds, bindRows, type Feed, type RowsFeed } from './feeds.ts';
import type { Dims, Spec } from './spec.ts';

type Feeds = Readonly<Record<string, Feed>>;
type Specs = Readonly<Record<string, Spec>>;

/** What the steps of a run are fed: `F` at each step, rows of resident data, or an `F` per step from an iterator. */
export type StepFeeds<F> = F | ResidentFeed | GatherFeed | Iterable<F> | AsyncIterable<F>;

export interface StepProgress {
  /** Steps that are done and committed. */
  readonly done: number;
  readonly steps: number;
}

/** Many steps of an entry: `F` are its feeds, `O` the names of its outputs. */
export interface StepsOptions<F, O extends string = string> {
  /** How many; fewer are run when an iterator ends before. */
  readonly steps: number;
  /** May be left out when the entry has no inputs. */
  readonly feed?: StepFeeds<F>;
  /**
   * What to return of an output, or of all: of `each` step, [steps, …]; of the `last` one; `none`. Default: `each` up to
   * 4 KiB, else `last`.
   */
  readonly outputs?: Keep | { readonly [K in O]?: Keep };
  /** Scalars that the entry reads and does not update, by the variable's name: one value per step. */
  readonly schedules?: Readonly<Record<string, RunInput>>;
  /** An output, one f32: the run ends after the first step at which it is not finite. */
  readonly watch?: O;
  /** Steps of the same training that came before, for errors that name a step. */
  readonly before?: number;
  /** When it is aborted, the run ends within milliseconds; what the steps before have done stays. */
  readonly signal?: AbortSignal;
  /** Told some times a second, and at the end. */
  readonly onProgress?: (progress: StepProgress) => void;
}

/** Data that a program keeps in its own memory, where its workers read the rows of each step. */
export class ResidentData {
  readonly feeds: Feeds;
  /** Told when the data is not needed any more, by each program that has a copy. */
  readonly releases: Set<() => Promise<void>> = new Set();

  constructor(feeds: Feeds) {
    this.feeds = feeds;
  }

  /** A feed: step t takes rows indices[t · batch … (t + 1) · batch − 1]. */
  rows(indices: ArrayLike<number>): ResidentFeed {
    return new ResidentFeed(this, indices, false);
  }

  /** Gives the memory back, once the runs before have ended. Otherwise it is kept for as long as the program. */
  async release(): Promise<void> {
    await Promise.all([...this.releases].map((release) => release()));
  }
}

/** Rows of resident data in the order in which the steps take them. Made by `resident`. */
export class ResidentFeed {
  readonly data: ResidentData;
  readonly indices: ArrayLike<number>;
  /** Nobody else has the data: it is released after the run. */
  readonly isOwner: boolean;

  constructor(data: ResidentData, indices: ArrayLike<number>, isOwner: boolean) {
    this.data = data;
    this.indices = indices;
    this.isOwner = isOwner;
  }
}

/**
 * Data for many steps, by the names of an entry's inputs: all examples of each, the first dimension counts them. They are
 * copied to the program's memory once, by the first run. With indices it is a feed, and the copy is given back after its
 * run; without, it is data that any number of feeds take rows of.
 *
 * @example
 * const set = resident({ x: images, y: labels });
 * await p.run('train', { steps: 100, feed: set.rows(order) });        // order: 100 · batch numbers of examples
 * await set.release();
 */
export function resident(feeds: Feeds): ResidentData;
export function resident(feeds: Feeds, indices: ArrayLike<number>): ResidentFeed;
export function resident(feeds: Feeds, indices?: ArrayLike<number>): ResidentData | ResidentFeed {
  const data = new ResidentData(feeds);
  return indices === undefined ? data : new ResidentFeed(data, indices, true);
}

/** Rows of arrays that stay on the host, typed as the entry's inputs are. The calling thread copies those of the next steps. */
export class GatherFeed {
  readonly rows: Readonly<Record<string, { readonly data: RunData; readonly shape: readonly number[] }>>;
  readonly indices: Int32Array;

  constructor(rows: GatherFeed['rows'], indices: Int32Array) {
    this.rows = rows;
    this.indices = indices;
  }
}

/** A feed that is bound to an entry. */
export type BoundStepFeed =
  | Extract<StepFeed, { kind: 'constant' | 'stream' | 'gather' }>
  | {
      readonly kind: 'resident';
      readonly feed: ResidentFeed;
      readonly rows: Readonly<Record<string, RowsFeed>>;
      readonly indices: Int32Array;
    };

/** Binds a feed to an entry: from its first batch follow the sizes of the named dimensions. Throws HDL1001. */
export async function bindStepFeed(
  entry: string,
  specs: Specs,
  feed: StepFeeds<Feeds> | undefined,
  steps: number,
): Promise<{ readonly dims: Dims; readonly bound: BoundStepFeed }> {
  if (!Number.isInteger(steps) || steps < 1) {
    throw runtimeError('HDL1001', {
      what: `'${entry}' cannot run ${String(steps)} steps`,
      rule: 'steps is an integer of at least 1',
      hint: 'say how many steps to run at most; a feed that ends earlier ends the run',
    });
  }
  if (feed instanceof ResidentFeed) return bindResident(entry, specs, feed, steps);
  if (feed instanceof GatherFeed) {
    const { indices } = feed;
    const all = Object.fromEntries(
      Object.entries(feed.rows).map(([name, { data, shape }]) => {
        const count = data.length / shape.reduce((n, d) => n * d, 1);
        return [name, { data, shape: [count, ...shape] }];
      }),
    );
    const { dims } = bindRows(entry, specs, all, indices.length / steps);
    const rows = Object.fromEntries(Object.entries(feed.rows).map(([name, { data }]) => [name, data]));
    return { dims, bound: { kind: 'gather', rows, indices } };
  }
  const batches = iteratorOf(feed);
  if (batches === null) {
    const { dims, values } = bindFeeds(entry, specs, (feed ?? {}) as Feeds);
    return { dims, bound: { kind: 'constant', inputs: values } };
  }
  const first = await batches.next();
  if (first.done) {
    throw runtimeError('HDL1001', {
      what: `the feed of '${entry}' has no batch`,
      rule: 'an iterator that is fed gives at least one',
      hint: 'an iterator can be used once: make a new one for each run',
    });
  }
  const { dims, values } = bindFeeds(entry, specs, first.value);
  return { dims, bound: { kind: 'stream', batches: following(entry, specs, dims, values, batches) } };
}

function bindResident(
  entry: string,
  specs: Specs,
  feed: ResidentFeed,
  steps: number,
): { readonly dims: Dims; readonly bound: BoundStepFeed } {
  const { length } = feed.indices;
  const batch = length / steps;
  if (!(Number.isInteger(batch) && batch > 0)) {
    throw runtimeError('HDL1001', {
      what: `${length} indices of rows for ${steps} steps of '${entry}'`,
      rule: 'each step takes as many rows: there are steps × batch indices',
      hint: 'pass a multiple of the number of steps',
    });
  }
  const { dims, rows } = bindRows(entry, specs, feed.data.feeds, batch);
  const indices = feed.indices instanceof Int32Array ? feed.indices : Int32Array.from(feed.indices);
  const odd = indices === feed.indices ? -1 : indices.findIndex((v, i) => v !== feed.indices[i]);
  if (odd >= 0) {
    throw runtimeError('HDL1001', {
      what: `index ${feed.indices[odd]} at position ${odd} of the rows for '${entry}'`,
      rule: 'numbers of rows are integers',
      hint: 'use an Int32Array',
    });
  }
  return { dims, bound: { kind: 'resident', feed, rows, indices } };
}

type Batches = Iterator<Feeds> | AsyncIterator<Feeds>;

function iteratorOf(feed: StepFeeds<Feeds> | undefined): Batches | null {
  if (typeof feed !== 'object' || feed === null) return null;
  if (Symbol.asyncIterator in feed) return (feed as AsyncIterable<Feeds>)[Symbol.asyncIterator]();
  if (Symbol.iterator in feed) return (feed as Iterable<Feeds>)[Symbol.iterator]();
  return null;
}

/** The values of all batches; each has the sizes of the first. */
function following(
  entry: string,
  specs: Specs,
  dims: Dims,
  first: Readonly<Record<string, RunInput>>,
  batches: Batches,
): AsyncIterator<Readonly<Record<string, RunInput>>> {
  let count = 0;
  return {
    next: async () => {
      if (count++ === 0) return { done: false, value: first };
      const next = await batches.next();
      if (next.done) return { done: true, value: undefined };
      const bound = bindFeeds(entry, specs, next.value);
      const other = Object.keys(dims).find((name) => bound.dims[name] !== dims[name]);
      if (other === undefined) return { done: false, value: bound.values };
      throw runtimeError('HDL1001', {
        what: `batch ${count - 1} of the feed of '${entry}' has ${other} = ${bound.dims[other]}, the first has ${dims[other]}`,
        rule: 'all steps of a run have the same sizes',
        hint: 'leave a last, smaller batch out, or run it by itself',
      });
    },
    return: async () => {
      await batches.return?.();
      return { done: true, value: undefined };
    },
  };
}
