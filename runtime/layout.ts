// Copies between row-major data and memory where dimensions lie in another order (channels last, for example). Values are
// moved as raw words or bytes, so NaN payloads and signs of zero stay as they are.
//
// A copy is a loop nest over the dimensions in memory order: memory is walked from its first element to its last, row-major
// data by strides. Dimensions of extent 1 are dropped and neighbours that are neighbours in both are merged first, so
// that an NCHW batch in channels-last memory is three loops, [N, H·W, C], and a batch of one channel a plain copy.

/** Words for dtypes of four bytes, bytes for the others. */
export type Words = Int32Array | Uint8Array;

interface Loop {
  readonly extent: number;
  /** Distance in elements in row-major data. */
  readonly stride: number;
}

/** Copies row-major `data` to `memory` at `start` (both count elements), dimensions in the given order. */
export function copyIn(
  memory: Words,
  start: number,
  data: Words,
  shape: readonly number[],
  order: readonly number[],
): void {
  const loops = loopsOf(shape, order);
  if (loops === null) return;
  if (isContiguous(loops)) {
    memory.set(data, start);
    return;
  }
  const [outer, rows, columns] = splitLoops(loops);
  const inMemory = { rows: columns.extent, columns: 1 };
  const inData = { rows: rows.stride, columns: columns.stride };
  const size = { rows: rows.extent, columns: columns.extent };
  let at = start;
  forEachOffset(outer, (offset) => {
    copyMatrix(memory, at, inMemory, data, offset, inData, size);
    at += rows.extent * columns.extent;
  });
}

/** The inverse: copies `memory` at `start` to row-major `data`. */
export function copyOut(
  memory: Words,
  start: number,
  data: Words,
  shape: readonly number[],
  order: readonly number[],
): void {
  const loops = loopsOf(shape, order);
  if (loops === null) return;
  if (isContiguous(loops)) {
    data.set(memory.subarray(start, start + data.length));
    return;
  }
  const [outer, rows, columns] = splitLoops(loops);
  const inMemory = { rows: columns.extent, columns: 1 };
  const inData = { rows: rows.stride, columns: columns.stride };
  const size = { rows: rows.extent, columns: columns.extent };
  let at = start;
  forEachOffset(outer, (offset) => {
    copyMatrix(data, offset, inData, memory, at, inMemory, size);
    at += rows.extent * columns.extent;
  });
}

/** Numbers for the two dimensions of a matrix. */
interface Pair {
  readonly rows: number;
  readonly columns: number;
}

/** Rows of a tile: the longest that the cache holds together with the lines they touch on the strided side. */
const tileRows = 64;

/**
 * Copies a matrix with any strides. By tiles of rows, and in each column by column: the inner loop is long also when there
 * are three columns (channels), and the strided side stays in the cache from one column to the next.
 */
function copyMatrix(
  to: Words,
  toStart: number,
  toStride: Pair,
  from: Words,
  fromStart: number,
  fromStride: Pair,
  size: Pair,
): void {
  const toStep = toStride.rows;
  const fromStep = fromStride.rows;
  const { columns } = size;
  for (let begin = 0; begin < size.rows; begin += tileRows) {
    const count = Math.min(tileRows, size.rows - begin);
    for (let c = 0; c < columns; c++) {
      let t = toStart + begin * toStep + c * toStride.columns;
      let f = fromStart + begin * fromStep + c * fromStride.columns;
      for (let r = 0; r < count; r++) {
        to[t] = from[f]!;
        t += toStep;
        f += fromStep;
      }
    }
  }
}

/** Loops in memory order, outermost first, merged; null when there are no elements. */
function loopsOf(shape: readonly number[], order: readonly number[]): Loop[] | null {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= shape[d]!;
  }
  if (stride === 0) return null;
  const loops: Loop[] = [];
  for (const d of order) {
    const loop = { extent: shape[d]!, stride: strides[d]! };
    if (loop.extent === 1) continue;
    const last = loops.at(-1);
    if (last !== undefined && last.stride === loop.extent * loop.stride) {
      loops[loops.length - 1] = { extent: last.extent * loop.extent, stride: loop.stride };
    } else {
      loops.push(loop);
    }
  }
  return loops;
}

function isContiguous(loops: readonly Loop[]): boolean {
  return loops.length === 0 || (loops.length === 1 && loops[0]!.stride === 1);
}

/** The two innermost loops, and those around them. */
function splitLoops(loops: readonly Loop[]): [Loop[], Loop, Loop] {
  const one: Loop = { extent: 1, stride: 0 };
  return [loops.slice(0, -2), loops.at(-2) ?? one, loops.at(-1) ?? one];
}

/** Calls `body` with the row-major offset of each iteration of the outer loops, in order. */
function forEachOffset(outer: readonly Loop[], body: (offset: number) => void): void {
  const counter = new Array<number>(outer.length).fill(0);
  let offset = 0;
  for (;;) {
    body(offset);
    let d = outer.length - 1;
    for (; d >= 0; d--) {
      const { extent, stride } = outer[d]!;
      offset += stride;
      if (++counter[d]! < extent) break;
      offset -= stride * extent;
      counter[d] = 0;
    }
    if (d < 0) return;
  }
}
