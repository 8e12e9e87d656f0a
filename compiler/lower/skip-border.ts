// Borders of zeros that a contraction leaves out instead of multiplying them (kernel/schedule/guards.ts). In: a padded value and
// its only reader. The input gradient of an unpadded convolution is the case that matters: 5 × 5 taps on a result of 8 × 8
// meet zeros in 56 of 100 products; the border of a 3 × 3 convolution that keeps the size of its picture costs less than
// asking for it, and stays.

import type { Node } from '../graph/ir.ts';
import { type LoopVar, offsetIndex } from '../kernel/affine.ts';
import type { Condition } from '../kernel/expr.ts';
import { isAsked, shareOf } from '../kernel/schedule/guards.ts';
import type { Prober, Read } from './probe.ts';

/** A border is left out when no more than this part of the products is with elements. */
const mostProducts = 0.75;
/** Loops that no condition asks for must be left for the rows and the columns of tiles, this long. */
const shortestSide = 4;
/** Rounds between two questions. */
const fewestRounds = 8;

/** Whether `reader` computes less without the border of `pad`, which it alone reads. */
export function skipsBorder(pad: Node, reader: Node, prober: Prober): boolean {
  if (pad.op.name !== 'pad' || reader.op.name !== 'convolution' || reader.operands[1] === pad) return false;
  const fill = pad.operands[1]!;
  if (fill.op.name !== 'constant' || !Object.is([fill.attrs['value']].flat()[0], 0)) return false;
  const { lo, interior } = pad.attrs as Record<'lo' | 'interior', readonly number[]>;
  if (interior.some((d) => d !== 0)) return false;
  const { vars, reads } = prober.probe(reader);
  const picture = reads.find((r) => r.operand === 0)!;
  const filter = reads.find((r) => r.operand === 1)!;
  const { shape } = pad.operands[0]!.type;
  const conditions = picture.at.map((index, d): Condition => {
    return { kind: 'inRange', index: offsetIndex(index, -lo[d]!), lo: 0, hi: shape[d]! };
  });
  const loops = loopsOf(picture);
  const asking = conditions.filter((_, d) => pad.type.shape[d] !== shape[d]);
  const asked = (v: LoopVar): boolean => isAsked(asking, v);
  const share = shareOf(asking, loops);
  const inFilter = loopsOf(filter);
  const isSide = (v: LoopVar): boolean => vars.includes(v) && v.extent >= shortestSide && !asked(v);
  const rounds = loops.reduce((n, v) => (vars.includes(v) || asked(v) ? n : n * v.extent), 1);
  return (
    share <= mostProducts &&
    rounds >= fewestRounds &&
    loops.some((v) => isSide(v) && !inFilter.includes(v)) &&
    inFilter.some((v) => isSide(v) && !loops.includes(v))
  );
}

/** The loops with which a read moves in known strides. */
function loopsOf({ at }: Read): LoopVar[] {
  const atoms = at.flatMap((i) => i.terms.map((t) => t.atom));
  return [...new Set(atoms.filter((a) => a.kind === 'var'))];
}
