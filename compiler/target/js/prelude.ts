// What every emitted module starts with: views of memory, made again when memory has grown, and the few functions that
// JavaScript lacks. `f` rounds to float32: applied after every operation, it gives float32 semantics.

/** Names that the prelude declares. */
export const preludeNames: readonly string[] = [
  'f',
  'F32',
  'I32',
  'U32',
  'U8',
  'buffer',
  'all',
  'views',
  'max',
  'min',
  'roundEven',
  'toI32',
  'toU32',
  'word',
  'bitsToFloat',
  'floatToInt',
  'floatToUint',
  'checkIndex',
  'checkFinite',
];

export const prelude = `'use strict';
const f = Math.fround;
let buffer, F32, I32, U32, U8, all;
function views() {
  if (buffer === memory.buffer) return all;
  buffer = memory.buffer;
  F32 = new Float32Array(buffer);
  I32 = new Int32Array(buffer);
  U32 = new Uint32Array(buffer);
  U8 = new Uint8Array(buffer);
  all = { F32, I32, U32, U8 };
  return all;
}
// NaN when either is NaN; x when both are equal.
function max(x, y) {
  return y !== y ? y : x < y ? y : x;
}
function min(x, y) {
  return y !== y ? y : y < x ? y : x;
}
function roundEven(x) {
  const r = Math.round(x);
  return r - x === 0.5 && r % 2 !== 0 ? r - 1 : r === 0 ? x * 0 : r;
}
// Towards zero, saturating; NaN gives 0.
function toI32(x) {
  return x >= 2147483648 ? 2147483647 : x < -2147483648 ? -2147483648 : x | 0;
}
function toU32(x) {
  return x >= 4294967296 ? 4294967295 : x > 0 ? x >>> 0 : 0;
}
const word = new DataView(new ArrayBuffer(4));
function bitsToFloat(x) {
  word.setInt32(0, x);
  return word.getFloat32(0);
}
function floatToInt(x) {
  word.setFloat32(0, x);
  return word.getInt32(0);
}
function floatToUint(x) {
  word.setFloat32(0, x);
  return word.getUint32(0);
}
// flags: position of the flags in I32.
function checkIndex(flags, x, size, site) {
  if (x >= 0 && x < size) return x;
  I32[flags + site + 1] = x;
  I32[flags] = 1;
  return Math.min(Math.max(x, 0), Math.max(size - 1, 0));
}
function checkFinite(flags, x, site) {
  if (!Number.isFinite(x)) {
    I32[flags + site + 1] = 1;
    I32[flags] = 1;
  }
  return x;
}
`;
