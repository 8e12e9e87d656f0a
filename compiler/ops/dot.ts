// Matrix products of any rank, as one contraction: batch dimensions side by side, contracted dimensions summed over, free
// dimensions crossed. Both gradients are contractions of the same kind.

import { makeNode } from '../graph/build.ts';
import type { Node, OpDef } from '../graph/ir.ts';
import { type DType, elementCount, roundTo, rowMajorStrides, type Shape } from '../graph/types.ts';
import { type Index, varIndex } from '../kernel/affine.ts';
import { binary, reduce } from '../kernel/expr.ts';
import { checkDType, numeric } from './attrs.ts';
import { defineOp } from './define.ts';
import { drawPermutation, drawTensor } from './draw.ts';
import { forEachPosition } from './loops.ts';
import { transpose } from './shape.ts';

export type DotAttrs = {
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
  readonly lhsContract: readonly number[];
  readonly rhsContract: readonly number[];
};

export const dotGeneralOp: OpDef = defineOp<DotAttrs>({
  name: 'dotGeneral',
  family: 'contract',
  doc: {
    summary: 'Sums products over contracted dimensions, for each batch and each pair of free positions.',
    formula: 'y[b, i, j] = Σ_k lhs[b, i, k] · rhs[b, j, k]',
    types:
      'lhs: T[…], rhs: T[…] → T[batch…, free of lhs…, free of rhs…], T one of f32, i32, u32; integers wrap',
    attrs: {
      lhsBatch: 'batch dimensions of lhs, in the order of the result',
      rhsBatch: 'their partners in rhs, of equal sizes',
      lhsContract: 'dimensions of lhs that are summed over',
      rhsContract: 'their partners in rhs, of equal sizes',
    },
    onnx: 'MatMul',
    example: 'matmul(x, w)',
  },
  arity: 2,
  type([lhs, rhs], attrs, fail) {
    checkDType(fail, lhs!, numeric, 'lhs');
    if (rhs!.dtype !== lhs!.dtype) {
      fail(`dtypes ${lhs!.dtype} and ${rhs!.dtype} differ`, `cast rhs: cast(y, '${lhs!.dtype}')`, 'HDL0002');
    }
    const sides = [
      { side: 'lhs', rank: lhs!.shape.length, dims: [attrs.lhsBatch, attrs.lhsContract] },
      { side: 'rhs', rank: rhs!.shape.length, dims: [attrs.rhsBatch, attrs.rhsContract] },
    ];
    for (const { side, rank, dims } of sides) {
      const all: readonly unknown[] = dims.every(Array.isArray) ? dims.flat() : [-1];
      const wrong = all.some(
        (d, i) => !Number.isInteger(d) || Number(d) < 0 || Number(d) >= rank || all.indexOf(d) !== i,
      );
      if (wrong) {
        fail(
          `${side}Batch and ${side}Contract must be lists of different dimensions of ${side}, which has ${rank}`,
          'name each dimension at most once',
          'HDL0003',
        );
      }
    }
    const pairs = [
      { kind: 'batch', l: attrs.lhsBatch, r: attrs.rhsBatch },
      { kind: 'contracted', l: attrs.lhsContract, r: attrs.rhsContract },
    ];
    for (const { kind, l, r } of pairs) {
      if (l.length !== r.length) {
        fail(
          `${l.length} ${kind} dimensions of lhs face ${r.length} of rhs`,
          'name them in pairs, in the same order',
          'HDL0003',
        );
      }
      const i = l.findIndex((d, k) => lhs!.shape[d] !== rhs!.shape[r[k]!]);
      if (i >= 0) {
        fail(
          `${kind} dimensions ${lhs!.shape[l[i]!]} (dimension ${l[i]} of lhs) and ${rhs!.shape[r[i]!]} (dimension ${r[i]} of rhs) differ`,
          'transpose or reshape one of the operands',
        );
      }
    }
    const { lhsFree, rhsFree } = freeDims(attrs, lhs!.shape.length, rhs!.shape.length);
    return {
      dtype: lhs!.dtype,
      shape: [
        ...attrs.lhsBatch.map((d) => lhs!.shape[d]!),
        ...lhsFree.map((d) => lhs!.shape[d]!),
        ...rhsFree.map((d) => rhs!.shape[d]!),
      ],
    };
  },
  reference([lhs, rhs], attrs, out) {
    const { lhsFree, rhsFree } = freeDims(attrs, lhs!.type.shape.length, rhs!.type.shape.length);
    const lhsAt = (dims: readonly number[]): Float64Array => offsets(lhs!.type.shape, dims);
    const rhsAt = (dims: readonly number[]): Float64Array => offsets(rhs!.type.shape, dims);
    const [lb, li, lk] = [lhsAt(attrs.lhsBatch), lhsAt(lhsFree), lhsAt(attrs.lhsContract)];
    const [rb, rj, rk] = [rhsAt(attrs.rhsBatch), rhsAt(rhsFree), rhsAt(attrs.rhsContract)];
    const isFloat = out.dtype === 'f32';
    const y = new Float64Array(elementCount(out.shape));
    let at = 0;
    for (let b = 0; b < lb.length; b++) {
      for (let i = 0; i < li.length; i++) {
        for (let j = 0; j < rj.length; j++) {
          let total = 0;
          for (let k = 0; k < lk.length; k++) {
            const p = lhs!.data[lb[b]! + li[i]! + lk[k]!]!;
            const q = rhs!.data[rb[b]! + rj[j]! + rk[k]!]!;
            total += isFloat ? p * q : Math.imul(p, q);
          }
          y[at++] = isFloat ? total : roundTo(out.dtype, total);
        }
      }
    }
    return y;
  },
  gradient({ node, operands, cotangent, needs }) {
    if (cotangent.type.dtype !== 'f32') return [null, null];
    const attrs = node.attrs as DotAttrs;
    const [lhs, rhs] = operands as readonly [Node, Node];
    const { lhsFree, rhsFree } = freeDims(attrs, lhs.type.shape.length, rhs.type.shape.length);
    // The cotangent has dimensions [batch, lhs free, rhs free]; each gradient contracts what the other operand left free.
    const batch = attrs.lhsBatch.map((_, i) => i);
    const atLhs = lhsFree.map((_, i) => batch.length + i);
    const atRhs = rhsFree.map((_, i) => batch.length + atLhs.length + i);
    const { lhsBatch, rhsBatch, lhsContract, rhsContract } = attrs;
    return [
      needs[0]
        ? arrange(
            dotGeneral(cotangent, rhs, {
              lhsBatch: batch,
              rhsBatch,
              lhsContract: atRhs,
              rhsContract: rhsFree,
            }),
            [...lhsBatch, ...lhsFree, ...partners(rhsContract, lhsContract)],
          )
        : null,
      needs[1]
        ? arrange(
            dotGeneral(lhs, cotangent, {
              lhsBatch,
              rhsBatch: batch,
              lhsContract: lhsFree,
              rhsContract: atLhs,
            }),
            [...rhsBatch, ...partners(lhsContract, rhsContract), ...rhsFree],
          )
        : null,
    ];
  },
  lower({ node, at, read, newVar }) {
    const attrs = node.attrs as DotAttrs;
    const [lhs, rhs] = node.operands.map((o) => o.type.shape) as [Shape, Shape];
    const { lhsFree, rhsFree } = freeDims(attrs, lhs.length, rhs.length);
    const vars = attrs.lhsContract.map((d, k) => newVar(`k${k}`, lhs[d]!));
    const batch = attrs.lhsBatch.length;
    const position = (
      shape: Shape,
      batchDims: readonly number[],
      free: readonly number[],
      contract: readonly number[],
      freeFrom: number,
    ): Index[] =>
      shape.map((_, d) => {
        if (batchDims.includes(d)) return at[batchDims.indexOf(d)]!;
        if (contract.includes(d)) return varIndex(vars[contract.indexOf(d)]!);
        return at[freeFrom + free.indexOf(d)]!;
      });
    const x = read(0, position(lhs, attrs.lhsBatch, lhsFree, attrs.lhsContract, batch));
    const y = read(1, position(rhs, attrs.rhsBatch, rhsFree, attrs.rhsContract, batch + lhsFree.length));
    const product = binary('mul', x, y);
    return vars.length === 0 ? product : reduce('sum', vars, product);
  },
  sample(random) {
    const dims = (from: number, to: number): number[] =>
      Array.from({ length: random.int(from, to) }, () => random.int(1, 4));
    const [batch, contract, lhsFree, rhsFree] = [dims(0, 1), dims(0, 2), dims(0, 2), dims(0, 1)];
    const side = (free: readonly number[]): { shape: number[]; batch: number[]; contract: number[] } => {
      const sizes = [...batch, ...contract, ...free];
      const place = drawPermutation(random, sizes.length); // dimension i of `sizes` lies at place[i]
      const shape = sizes.map((_, d) => sizes[place.indexOf(d)]!);
      return {
        shape,
        batch: place.slice(0, batch.length),
        contract: place.slice(batch.length, batch.length + contract.length),
      };
    };
    const [l, r] = [side(lhsFree), side(rhsFree)];
    const dtype = random.pick(numeric);
    return {
      operands: [drawTensor(random, dtype, l.shape), drawTensor(random, dtype, r.shape)],
      attrs: { lhsBatch: l.batch, rhsBatch: r.batch, lhsContract: l.contract, rhsContract: r.contract },
    };
  },
});

/** Dimensions that are neither batch nor contracted, ascending. */
function freeDims(
  attrs: DotAttrs,
  lhsRank: number,
  rhsRank: number,
): { readonly lhsFree: number[]; readonly rhsFree: number[] } {
  const free = (rank: number, batch: readonly number[], contract: readonly number[]): number[] =>
    Array.from({ length: rank }, (_, d) => d).filter((d) => !batch.includes(d) && !contract.includes(d));
  return {
    lhsFree: free(lhsRank, attrs.lhsBatch, attrs.lhsContract),
    rhsFree: free(rhsRank, attrs.rhsBatch, attrs.rhsContract),
  };
}

/** Offsets of the elements along some dimensions, in row-major order of these. */
function offsets(shape: Shape, dims: readonly number[]): Float64Array {
  const strides = rowMajorStrides(shape);
  const sizes = dims.map((d) => shape[d]!);
  const list = new Float64Array(elementCount(sizes));
  forEachPosition(sizes, (at, flat) => {
    list[flat] = at.reduce((offset, i, k) => offset + i * strides[dims[k]!]!, 0);
  });
  return list;
}

/** `b` in the ascending order of its partners in `a`: the order in which a product keeps them. */
function partners(a: readonly number[], b: readonly number[]): number[] {
  return a
    .map((d, k) => ({ d, partner: b[k]! }))
    .sort((p, q) => p.d - q.d)
    .map((p) => p.partner);
}

/** Transposes y so that its dimension i becomes dimension places[i]. */
function arrange(y: Node, places: readonly number[]): Node {
  return transpose(
    y,
    places.map((_, d) => places.indexOf(d)),
  );
}

/** The node of `dotGeneral`. */
export function dotGeneral<D extends DType>(
  lhs: Node<Shape, D>,
  rhs: Node<Shape, D>,
  attrs: DotAttrs,
): Node<Shape, D> {
  return makeNode(dotGeneralOp, [lhs, rhs], {
    lhsBatch: [...attrs.lhsBatch],
    rhsBatch: [...attrs.rhsBatch],
    lhsContract: [...attrs.lhsContract],
    rhsContract: [...attrs.rhsContract],
  }) as Node<Shape, D>;
}
