// Nested arrays: what people write by hand. Flattened to numbers and a shape, or refused when rows differ in length.

/** Numbers or booleans in nested arrays, all rows of one length. */
export type NestedArray = readonly (number | boolean | NestedArray)[];

export interface Flat {
  readonly values: number[];
  /** From the first rows. */
  readonly shape: number[];
}

/**
 * Row-major numbers of nested (or typed) arrays. Throws what `ragged` makes of the place where a row does not fit: its
 * description and the shape so far.
 */
export function flattenNested(
  nested: NestedArray,
  ragged: (where: string, shape: readonly number[]) => Error,
): Flat {
  const shape: number[] = [];
  for (let level: unknown = nested; isList(level); level = level[0]) shape.push(level.length);
  const values: number[] = [];
  const visit = (item: unknown, depth: number): void => {
    const isRow = isList(item);
    if (isRow !== depth < shape.length || (isRow && item.length !== shape[depth])) {
      throw ragged(`${isRow ? `a row of ${item.length}` : 'a number'} at depth ${depth}`, shape);
    }
    if (isRow) for (let i = 0; i < item.length; i++) visit(item[i], depth + 1);
    else values.push(Number(item));
  };
  visit(nested, 0);
  return { values, shape };
}

function isList(item: unknown): item is ArrayLike<unknown> {
  return Array.isArray(item) || (ArrayBuffer.isView(item) && 'length' in item);
}
