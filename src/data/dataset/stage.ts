// A stage of a data set: where elements come from, or what becomes of those of the stage before. Stages hold no position: what an
// epoch gives follows from its number and from seeds alone, so any epoch can be gone through again, from any place.

import { random } from '../../random.ts';

export interface Stage<E> {
  /** How many elements an epoch has; null when that is known at its end only. */
  readonly size: number | null;
  /** Makes the element at a place of an epoch, where that does not need those before it. */
  readonly at: ((index: number, epoch: number) => E | Promise<E>) | null;
  /** The elements of an epoch, from place `from` on. */
  open(epoch: number, from: number): AsyncIterable<E>;
  /** Arrays in memory of which the examples are rows, for stages that only choose, order and batch. */
  readonly rows: RowChoice | null;
  /** Elements are batches of this many examples; null when each is one example. */
  readonly batch: number | null;
}

/** Rows of arrays: all of them in order, or those that `order` names. */
export interface RowChoice {
  /** The arrays as they were given, by name. */
  readonly columns: Readonly<Record<string, unknown>>;
  /** Examples of an epoch. */
  readonly count: number;
  readonly order: ((epoch: number) => Int32Array) | null;
}

/** What `open` is for a stage whose elements can be made one by one. */
export async function* openByPlace<E>(stage: Stage<E>, epoch: number, from: number): AsyncGenerator<E> {
  const { at, size } = stage;
  for (let i = from; i < size!; i++) {
    const element = at!(i, epoch);
    yield element instanceof Promise ? await element : element;
  }
}

/** A stage that takes elements of the one before by their places: each epoch has an order of its own, or all have one. */
export function chosen<E>(
  from: Stage<E>,
  size: number,
  order: (epoch: number) => Int32Array | null,
): Stage<E> {
  const place = (index: number, epoch: number): number => order(epoch)?.[index] ?? index;
  const stage: Stage<E> = {
    size,
    at: (index, epoch) => from.at!(place(index, epoch), epoch),
    open: (epoch, start) => openByPlace(stage, epoch, start),
    rows:
      from.rows === null || from.batch !== null
        ? null
        : {
            ...from.rows,
            count: size,
            order: (epoch) => {
              const before = from.rows!.order?.(epoch);
              const own = order(epoch) ?? Int32Array.from({ length: size }, (_, i) => i);
              return before === undefined ? own : own.map((i) => before[i]!);
            },
          },
    batch: from.batch,
  };
  return stage;
}

/** A function of the epoch that remembers its last result. */
export function byEpoch<T>(make: (epoch: number) => T): (epoch: number) => T {
  let held: { readonly epoch: number; readonly value: T } | null = null;
  return (epoch) => {
    if (held?.epoch !== epoch) held = { epoch, value: make(epoch) };
    return held.value;
  };
}

/** The order of an epoch: a permutation that follows from the seed and the epoch. */
export function permutationOf(size: number, seed: number): (epoch: number) => Int32Array {
  return byEpoch((epoch) => random(seed, 'shuffle', epoch).permutation(size));
}
