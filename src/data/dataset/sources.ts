// Where elements come from: columns of arrays, a list of elements, or whatever can be iterated.

import { compilerError } from '../../../compiler/graph/errors.ts';
import { columnsOf } from './elements.ts';
import { openByPlace, type Stage } from './stage.ts';

export type AnyIterable<E> = Iterable<E> | AsyncIterable<E>;

export function isIterable(value: unknown): value is AnyIterable<unknown> {
  return (
    typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value)
  );
}

/** Rows of arrays. Throws HDL0016 when they are empty or of different lengths. */
export function fromColumns(
  columns: Readonly<Record<string, unknown>>,
): Stage<Readonly<Record<string, unknown>>> {
  const { count, at } = columnsOf(columns);
  const stage: Stage<Readonly<Record<string, unknown>>> = {
    size: count,
    at,
    open: (epoch, from) => openByPlace(stage, epoch, from),
    rows: { columns, count, order: null },
    batch: null,
  };
  return stage;
}

/** A list of elements. */
export function fromList<E>(list: ArrayLike<E>): Stage<E> {
  const stage: Stage<E> = {
    size: list.length,
    at: (index) => list[index]!,
    open: (epoch, from) => openByPlace(stage, epoch, from),
    rows: null,
    batch: null,
  };
  return stage;
}

/** What `make` gives for an epoch to be iterated. */
export function fromIterable<E>(make: (epoch: number) => AnyIterable<E>): Stage<E> {
  return {
    size: null,
    at: null,
    rows: null,
    batch: null,
    async *open(epoch, from) {
      let left = from;
      for await (const element of make(epoch)) {
        if (left > 0) left--;
        else yield element;
      }
    },
  };
}

/** An iterable that may be used again gives itself each time; an iterator, which is used up once, is refused the second time. */
export function again<E>(iterable: AnyIterable<E>): (epoch: number) => AnyIterable<E> {
  let isUsed = false;
  return () => {
    const iterator =
      Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
    if ((iterator as unknown) !== iterable) return iterable;
    if (isUsed) {
      throw compilerError('HDL0016', {
        what: 'an iterator was to be gone through a second time',
        rule: 'an iterator ends once and for all, and each epoch needs its elements',
        hint: 'pass the function that makes it: Dataset.from(() => generate()), or .cache() it',
      });
    }
    isUsed = true;
    return iterable;
  };
}
