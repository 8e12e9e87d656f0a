// Connectionist temporal classification: labels in order, without saying at which frame each of them is. The probability of
// the labels is the sum over all ways to spread them over the frames, by the forward algorithm, in logarithms:
//
//   labels      a b            states   ␣ a ␣ b ␣      (2 S + 1 of them: a blank before, between and after)
//   at frame t  log α[s] = log p[t, state s] + log (α[s] + α[s−1] + α[s−2] where state s is a label unlike state s−2)
//
// One scan over the frames, all examples beside each other; its gradient is a scan, too.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import type { Tensor } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { scope } from '../../compiler/graph/scope.ts';
import { formatShape, type Shape, sameShape } from '../../compiler/graph/types.ts';
import {
  add, broadcastTo, cast, checkIndex, concat, cumprod, div, eq, expandDims, full, gatherElements, iota, logAddExp, logicalAnd,
  logSoftmax, lt, maximum, mul, ne, neg, pad, reshape, scan, slice, stack, sum, transpose, where,
} from '../../compiler/ops/index.ts'; // biome-ignore format: a list
import type { Floats } from '../floats.ts';
import { refused } from './check.ts';
import { type LossOptions, type LossTraits, reduceLoss } from './loss.ts';

type Ints = Tensor<Shape, 'i32'>;
type Mask = Tensor<Shape, 'bool'>;

export interface CtcOptions extends LossOptions {
  /** The class that stands for no label, and that fills up shorter lists of labels; default 0. */
  readonly blank?: number | undefined;
  /** How many frames of each example count: i32[N]. Default all of them. */
  readonly frames?: Tensor | undefined;
  /** How many labels each example has: i32[N]. Default those before its first blank. */
  readonly lengths?: Tensor | undefined;
  /** Divides the loss of each example by its number of labels, as PyTorch's mean does; default false. */
  readonly perLabel?: boolean | undefined;
  /** Makes the loss 0, with no gradient, where the labels do not fit into the frames; default false: it is infinite there. */
  readonly zeroInfinity?: boolean | undefined;
}

export interface Ctc extends LossTraits {
  (logits: Tensor, labels: Tensor, options?: CtcOptions): Floats;
}

/** The logarithm of 0. */
const none = Number.NEGATIVE_INFINITY;

/**
 * How unlikely labels are, in order, without saying at which frame each of them stands. Logits f32[N, T, K] for T frames and K
 * classes, one of them the blank, and labels i32[N, S] in [0, K) → f32[], or f32[N] with `reduction: 'none'`. Labels that repeat
 * need a blank between them. Throws HDL0001, HDL0002, HDL0003; the run fails with HDL1004 at a label or a number that is out of
 * range.
 *
 * @formula −ln Σ over paths with the labels of Πₜ softmax(x[t])[path[t]]
 * @source Graves et al., 2006
 * @example const loss = losses.ctc(logits, labels, { frames }); // and ctcGreedyDecode(logits) reads them
 */
export const ctc: Ctc = Object.assign(alignmentLoss, { logits: 'softmax' as const });

function alignmentLoss(logits: Tensor, labels: Tensor, options: CtcOptions = {}): Floats {
  const { blank = 0, perLabel = false, zeroInfinity = false } = options;
  const [n, frames, classes, most] = sizesOf(logits, labels, options);
  if (!Number.isInteger(blank) || blank < 0 || blank >= classes) {
    throw refused('ctc', 'blank', blank, `a class, an integer in [0, ${classes})`, 'it is 0 by default');
  }
  return scope('ctc', () => {
    const lengths = lengthsOf(labels as Ints, blank, options.lengths);
    const isLabel = lt(iota([n, most], 1), expandDims(lengths, 1) as Ints) as Mask;
    const known = checkIndex(where(isLabel, labels as Ints, blank) as Ints, {
      size: classes,
      label: 'ctc labels',
    });
    const states = statesOf(known as Ints, blank);
    const width = 2 * most + 1;
    const log = logSoftmax(logits as Floats, -1) as Floats;
    const spread = broadcastTo(expandDims(states, 1), [n, frames, width]) as Ints;
    const emitted = transpose(gatherElements(log, spread, -1) as Floats, [1, 0, 2]) as Floats;
    const maySkip = skipsOf(states, blank);
    const limit =
      options.frames === undefined
        ? null
        : (checkIndex(options.frames as Ints, { size: frames + 1, label: 'ctc frames' }) as Ints);
    const begin = where(eq(iota([n, width], 1), 0) as Mask, 0, full([n, width], none)) as Floats;
    const { carry } = scan(
      ([alpha], [row, t]) => {
        const two = where(maySkip, shifted(alpha, 2), none) as Floats;
        const before = logAddExp(logAddExp(alpha, shifted(alpha, 1)) as Floats, two) as Floats;
        const next = add(before, row as Floats) as Floats;
        const isOver = limit && (lt(t as Ints, limit) as Mask);
        const kept = isOver ? (where(expandDims(isOver, 1) as Mask, next, alpha) as Floats) : next;
        return { carry: [kept], outputs: [] };
      },
      [begin],
      [emitted, iota([frames], 0)],
    );
    const values = neg(lastOf(carry[0] as Floats, lengths)) as Floats;
    const kept = zeroInfinity
      ? (where(lt(values, Number.POSITIVE_INFINITY) as Mask, values, 0) as Floats)
      : values;
    if (!perLabel) return reduceLoss('ctc', kept, options);
    const count = cast(maximum(lengths, 1) as Ints, 'f32') as Floats;
    return reduceLoss('ctc', div(kept, count) as Floats, options);
  });
}

/** The given lengths, or the number of labels before the first blank. */
function lengthsOf(labels: Ints, blank: number, given: Tensor | undefined): Ints {
  const most = labels.type.shape[1]!;
  if (given !== undefined) return checkIndex(given as Ints, { size: most + 1, label: 'ctc lengths' }) as Ints;
  return sum(cumprod(cast(ne(labels, blank) as Mask, 'i32') as Ints, 1) as Ints, 1) as Ints;
}

/** [N, 2 S + 1]: a blank before, between and after the labels. */
function statesOf(labels: Ints, blank: number): Ints {
  const [n, most] = labels.type.shape as [number, number];
  const pairs = stack([full([n, most], blank, 'i32') as Ints, labels], 2);
  return pad(reshape(pairs, [n, 2 * most]) as Ints, [[0, 0], [0, 1]], blank) as Ints; // biome-ignore format: short
}

/** Where a path may come from two states before: at labels unlike the one before. */
function skipsOf(states: Ints, blank: number): Mask {
  return logicalAnd(ne(states, blank) as Mask, ne(states, shifted(states, 2, blank)) as Mask) as Mask;
}

/** Each row moved to the right; `fill` comes in. */
function shifted<T extends Tensor>(x: T, by: number, fill: number = none): T {
  const [n, width] = x.type.shape as [number, number];
  const left = Math.min(by, width);
  const rest = slice(x as Tensor, [0, 0], [n, width - left]) as Tensor;
  return concat([full([n, left], fill, x.type.dtype) as Tensor, rest], 1) as Tensor as T;
}

/** The logarithm of the sum of the last two states of each row: those of its last label, and of the blank behind it. */
function lastOf(alpha: Floats, lengths: Ints): Floats {
  const end = expandDims(mul(lengths, 2) as Ints, 1) as Ints;
  const at = iota(alpha.type.shape, 1) as Ints;
  // All other states are log 0; a list without labels has no last label.
  const pick = (place: Ints): Floats => sum(where(eq(at, place) as Mask, alpha, 0) as Floats, 1) as Floats;
  const label = where(eq(lengths, 0) as Mask, none, pick(add(end, -1) as Ints)) as Floats;
  return logAddExp(pick(end), label) as Floats;
}

function sizesOf(
  logits: Tensor,
  labels: Tensor,
  { frames, lengths }: CtcOptions,
): readonly [number, number, number, number] {
  const fail = (code: 'HDL0001' | 'HDL0002', rule: string, hint: string): never => {
    throw compilerError(code, {
      what: `ctc(${describeNode(logits)}, ${describeNode(labels)})`,
      rule,
      hint,
      loc: callerLocation(),
    });
  };
  const [x, y] = [logits.type, labels.type];
  if (x.dtype !== 'f32')
    fail('HDL0002', `logits are f32, not ${x.dtype}`, 'pass logits first, labels second');
  if (y.dtype !== 'i32')
    fail('HDL0002', `labels are i32, not ${y.dtype}`, "declare them as tensor(['batch', S], 'i32')");
  if (x.shape.length !== 3) {
    fail(
      'HDL0001',
      'logits are [examples, frames, classes]',
      'of [frames, examples, classes]: transpose(x, [1, 0, 2])',
    );
  }
  const [n, steps, classes] = x.shape as readonly [number, number, number];
  if (y.shape.length !== 2 || y.shape[0] !== n) {
    fail(
      'HDL0001',
      `labels are [${n}, most labels], not ${formatShape(y.shape)}`,
      'fill up shorter lists with the blank',
    );
  }
  for (const [name, v] of [['frames', frames], ['lengths', lengths]] as const) {
    if (v === undefined) continue;
    if (v.type.dtype !== 'i32') fail('HDL0002', `${name} are i32, not ${v.type.dtype}`, `convert them: cast(${name}, 'i32')`);
    if (!sameShape(v.type.shape, [n])) {
      fail('HDL0001', `${name} are [${n}], one for each example, not ${formatShape(v.type.shape)}`, 'check their shape');
    }
  } // biome-ignore format: short
  return [n, steps, classes, y.shape[1]!];
}
