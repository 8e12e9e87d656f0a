// x as a multiple of π/2 and a rest, exactly, for any finite |x| ≥ 1 (Payne and Hanek): x · 2/π modulo 4 needs only those
// bits of 2/π whose product with x lies below 4 and above the digits of the result, so three words of it are picked out by
// the exponent of x and multiplied with its 24 bits in integers.
//
//   x = m · 2ᵉ        2/π = 0.w₁w₂w₃…        m · (bits of 2ᵉ · 2/π below 4) = quadrant (2 bits) . fraction (62 bits)

import { binary, bitcast, compare, constant, convert, type Expr, select } from '../expr.ts';
import { abs, add, f32, i32, isBelow, mul, sub } from './arithmetic.ts';

export interface QuarterTurns {
  /** In [−π/4, π/4], a little more by rounding. */
  readonly r: Expr;
  /** As i32; its low two bits count quarter turns. */
  readonly quadrant: Expr;
}

/** 2/π in words of 32 bits, after one of zeros: its first bit is that of 2⁻¹. */
export const twoOverPi: readonly number[] = [
  0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab,
]; // biome-ignore format: one word after the other

const u32 = (value: number): Expr => constant('u32', value);
const shl = (x: Expr, by: Expr): Expr => binary('shl', x, by);
const shr = (x: Expr, by: Expr): Expr => binary('shr', x, by);
const and = (x: Expr, mask: number): Expr => binary('and', x, u32(mask));
const or = (x: Expr, y: Expr): Expr => binary('or', x, y);

/** The high word of the product of two words. */
function highProduct(x: Expr, y: Expr): Expr {
  const [xh, xl] = [shr(x, u32(16)), and(x, 0xffff)];
  const [yh, yl] = [shr(y, u32(16)), and(y, 0xffff)];
  const low = shr(mul(xl, yl), u32(16));
  const cross = add(mul(xh, yl), low);
  const other = add(mul(xl, yh), and(cross, 0xffff));
  return add(mul(xh, yh), add(shr(cross, u32(16)), shr(other, u32(16))));
}

/** The word of 2/π that starts `word` · 32 bits after `start`, for a start from 0 to 4. */
function wordAt(start: Expr, word: number): Expr {
  let found = u32(twoOverPi[word]!);
  for (let k = 1; k <= 4; k++)
    found = select(compare('eq', start, u32(k)), u32(twoOverPi[word + k] ?? 0), found);
  return found;
}

export function exactQuarterTurns(x: Expr): QuarterTurns {
  const size = bitcast('u32', abs(x));
  const m = or(and(size, 0x7fffff), u32(0x800000));
  // The exponent field is e + 150, and the bit that becomes 2¹ is the (e + 30)th of the words.
  const first = sub(shr(size, u32(23)), u32(120));
  const start = shr(first, u32(5));
  const within = and(first, 31);
  const words = [0, 1, 2, 3].map((k) => wordAt(start, k));
  // A shift by 32 would be one by 0: it is made in two steps.
  const back = sub(u32(31), within);
  const [a, b, c] = [0, 1, 2].map((k) =>
    or(shl(words[k]!, within), shr(shr(words[k + 1]!, u32(1)), back)),
  ) as [Expr, Expr, Expr];
  const low = mul(m, b);
  const under = add(low, highProduct(m, c));
  const carry = select(compare('lt', under, low), u32(1), u32(0));
  const top = add(add(mul(m, a), highProduct(m, b)), carry);
  // The fraction as a signed number of 64 bits: from −½ to ½ of a quarter turn, the quadrant rounded along.
  const quadrant = shr(add(top, u32(0x20000000)), u32(30));
  const high = or(shl(top, u32(2)), shr(under, u32(30)));
  const rest = shl(under, u32(2));
  const isMinus = compare('ge', high, u32(0x80000000));
  const borrow = select(compare('eq', rest, u32(0)), u32(0), u32(1));
  const sizeHigh = select(isMinus, sub(sub(u32(0), high), borrow), high);
  const sizeLow = select(isMinus, sub(u32(0), rest), rest);
  // In two numbers, of which the first is exact: the product with π/2 then rounds little more than once.
  const leading = select(compare('lt', sizeHigh, u32(1 << 24)), sizeHigh, and(sizeHigh, 0xffffff00));
  const t = mul(convert('f32', leading), f32(2 ** -32));
  const tLow = add(
    mul(convert('f32', sub(sizeHigh, leading)), f32(2 ** -32)),
    mul(convert('f32', sizeLow), f32(2 ** -64)),
  );
  const half = Math.fround(Math.PI / 2);
  const r = add(mul(t, f32(half)), add(mul(t, f32(Math.PI / 2 - half)), mul(tLow, f32(half))));
  // Both signs together: of the fraction and of x, whose quadrant turns the other way.
  const isNegative = isBelow(x, 0);
  const signs = binary('xor', select(isMinus, i32(1), i32(0)), select(isNegative, i32(1), i32(0)));
  const turns = bitcast('i32', quadrant);
  return {
    r: bitcast('f32', binary('xor', bitcast('i32', r), binary('shl', signs, i32(31)))),
    quadrant: select(isNegative, sub(i32(0), turns), turns),
  };
}
