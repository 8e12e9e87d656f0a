// Einstein summation: an equation of letters for dimensions, planned as contractions. In: `ij,jk->ik` and one operand for
// each term. Out: nodes of dotGeneral, sums, products and transposes, made two operands at a time.
//
// Before a pair meets, each operand is brought into plain form: no letter twice (the diagonal is taken), no letter that
// neither the partner, nor another operand, nor the result has (it is summed over). Then letters of both sides that are
// still wanted are batches, those that are not are contracted, and the rest is free. Of three operands and more, the pair
// with the smallest product goes first; at ties the one that stands first.

import { describeNode } from '../graph/describe.ts';
import { compilerError } from '../graph/errors.ts';
import type { Node } from '../graph/ir.ts';
import { callerLocation } from '../graph/location.ts';
import { scope } from '../graph/scope.ts';
import type { Summed, Sums } from '../graph/shape-types-einsum.ts';
import type { CommonDTypeOf } from '../graph/shape-types-view.ts';
import { elementCount, type Shape } from '../graph/types.ts';
import { mul } from './arithmetic.ts';
import { broadcastInDim, sum } from './broadcast.ts';
import { eq, where } from './compare.ts';
import { dotGeneral } from './dot.ts';
import { full, iota } from './leaf.ts';
import { reshape, transpose } from './shape.ts';

/** A value whose dimensions have names. */
interface Term {
  readonly x: Node;
  readonly names: readonly string[];
}

/**
 * Sums of products by an equation: each letter is a dimension; letters that are missing on the right of `->` are summed over.
 * Without `->` the result has the letters that occur once, in alphabetical order. A letter twice in a term takes the
 * diagonal; `...` stands for any dimensions in front that broadcast. Dimensions of size 1 broadcast too. f32, i32, u32 of one
 * dtype. Throws HDL0001 when sizes differ, HDL0002 when dtypes do, HDL0003 for an equation that does not fit.
 *
 *     einsum('bqd,bkd->bqk', queries, keys); // f32[8, 16, 64], f32[8, 20, 64] → f32[8, 16, 20]
 */
export function einsum<const E extends string, const T extends readonly Node[]>(
  equation: E & Sums<E, T>,
  ...operands: T
): Node<Summed<E, T>, CommonDTypeOf<T>> {
  return contracted(equation, operands) as Node<Summed<E, T>, CommonDTypeOf<T>>;
}

function contracted(equation: string, operands: readonly Node[]): Node {
  const refuse: Refuse = (rule, hint, code = 'HDL0003') => {
    throw compilerError(code, {
      what: `einsum('${equation}', ${operands.map(describeNode).join(', ')})`,
      rule,
      hint,
      loc: callerLocation(),
    });
  };
  const { terms, result } = parse(equation, operands, refuse);
  const sizes = sizesOf(terms, refuse);
  for (const name of result) {
    if (!sizes.has(name)) refuse(`${show(name)} of the result is in no operand`, 'write it on the left too');
  }
  const other = operands.find((x) => x.type.dtype !== operands[0]!.type.dtype);
  if (other !== undefined) {
    refuse(`dtypes ${operands[0]!.type.dtype} and ${other.type.dtype} differ`, 'cast one of them', 'HDL0002');
  }
  if (operands[0]!.type.dtype === 'bool' || operands[0]!.type.dtype === 'u8') {
    refuse(`${operands[0]!.type.dtype} has no products`, "convert them: cast(x, 'f32')", 'HDL0002');
  }
  return scope('einsum', () => {
    const open = terms.map((t) => withoutUnits(diagonal(t), sizes));
    while (open.length > 1) {
      const [i, j] = cheapestPair(open, result, sizes);
      const [a, b] = [open[i]!, open[j]!];
      open.splice(j, 1);
      open.splice(i, 1);
      open.splice(i, 0, multiply(a, b, wantedBy(open, result)));
    }
    const last = summed(open[0]!, new Set(result));
    return spread(last, result, sizes);
  });
}

type Refuse = (rule: string, hint: string, code?: 'HDL0001' | 'HDL0002' | 'HDL0003') => never;

/** Names are letters; the dimensions of `...` are numbers counted from the last one: `0`, `1`. */
function parse(
  equation: string,
  operands: readonly Node[],
  refuse: Refuse,
): { readonly terms: Term[]; readonly result: string[] } {
  const [left = '', right, ...more] = equation.replaceAll(' ', '').split('->');
  const inputs = left.split(',');
  const isTerm = (s: string): boolean => /^[a-zA-Z]*(\.\.\.)?[a-zA-Z]*$/.test(s);
  if (more.length > 0 || ![...inputs, right ?? ''].every(isTerm)) {
    refuse('an equation is terms of letters, with at most one ... each', "write it as 'ij,jk->ik'");
  }
  if (inputs.length !== operands.length) {
    refuse(
      `the equation has ${inputs.length} terms for ${operands.length} operands`,
      'write one term for each operand, between commas',
    );
  }
  let most = 0;
  const terms = inputs.map((term, i) => {
    const rank = operands[i]!.type.shape.length;
    const rest = rank - term.replace('...', '').length;
    if (rest < 0 || (rest > 0 && !term.includes('...'))) {
      refuse(
        `term '${term}' names ${term.replace('...', '').length} dimensions, operand ${i} has ${rank}`,
        'write one letter for each dimension, or ... for those in front',
      );
    }
    if (term.includes('...')) most = Math.max(most, rest);
    return { x: operands[i]!, names: expand(term, rest) };
  });
  const letters = inputs.join('').replaceAll('.', '');
  const once = [...new Set(letters)].filter((c) => letters.indexOf(c) === letters.lastIndexOf(c)).sort();
  const result = right === undefined ? [...expand('...', most), ...once] : expand(right, most);
  if (new Set(result).size !== result.length) {
    refuse('a letter stands twice in the result', 'each dimension of the result has a letter of its own');
  }
  return { terms, result };
}

function expand(term: string, rest: number): string[] {
  const [before = '', after] = term.split('...');
  const dots = Array.from({ length: rest }, (_, i) => String(rest - 1 - i));
  return after === undefined ? [...before] : [...before, ...dots, ...after];
}

function show(name: string): string {
  return /\d/.test(name) ? "'...'" : `'${name}'`;
}

/** Size of each dimension; those of size 1 give way to others. */
function sizesOf(terms: readonly Term[], refuse: Refuse): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { x, names } of terms) {
    names.forEach((name, d) => {
      const n = x.type.shape[d]!;
      const known = sizes.get(name) ?? 1;
      if (known !== 1 && n !== 1 && known !== n) {
        refuse(
          `dimension ${show(name)} is ${known} and ${n}`,
          'a letter has one size in all terms, or 1',
          'HDL0001',
        );
      }
      sizes.set(name, known === 1 ? n : known);
    });
  }
  return sizes;
}

/** Letters that stand twice are joined: what lies off the diagonal counts as 0 and is summed away. */
function diagonal({ x, names }: Term): Term {
  const d = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (d < 0) return { x, names };
  const first = names.indexOf(names[d]!);
  const shape = x.type.shape;
  const kept = names.filter((_, i) => i !== d);
  // Of two different sizes one is 1 and broadcasts: its only element stands for all.
  if (shape[first] !== shape[d]) {
    const one = shape[d] === 1 ? d : first;
    const y = reshape(
      x,
      shape.filter((_, i) => i !== one),
    );
    return diagonal({ x: y as Node, names: names.filter((_, i) => i !== one) });
  }
  const onDiagonal = eq(iota(shape, first) as Node, iota(shape, d) as Node) as Node<Shape, 'bool'>;
  const rest = where(onDiagonal, x, full(shape, 0, x.type.dtype) as Node) as Node<Shape, 'f32'>;
  return diagonal({ x: sum(rest, d) as Node, names: kept });
}

/** Dimensions of size 1 that are larger elsewhere disappear here: broadcasting does the rest. */
function withoutUnits({ x, names }: Term, sizes: ReadonlyMap<string, number>): Term {
  const kept = names.map((name, d) => x.type.shape[d] === sizes.get(name));
  return {
    x: reshape(
      x,
      x.type.shape.filter((_, d) => kept[d]),
    ) as Node,
    names: names.filter((_, d) => kept[d]),
  };
}

function wantedBy(terms: readonly Term[], result: readonly string[]): Set<string> {
  return new Set([...result, ...terms.flatMap((t) => t.names)]);
}

/** Sums over the dimensions that nobody wants. */
function summed({ x, names }: Term, wanted: ReadonlySet<string>): Term {
  const axes = names.flatMap((name, d) => (wanted.has(name) ? [] : [d]));
  if (axes.length === 0) return { x, names };
  return { x: sum(x as Node<Shape, 'f32'>, axes) as Node, names: names.filter((name) => wanted.has(name)) };
}

/** The product of two terms; what nobody else wants is summed over. */
function multiply(a: Term, b: Term, wanted: ReadonlySet<string>): Term {
  const l = summed(a, new Set([...wanted, ...b.names]));
  const r = summed(b, new Set([...wanted, ...a.names]));
  const shared = l.names.filter((name) => r.names.includes(name));
  const batch = shared.filter((name) => wanted.has(name));
  const contracted = shared.filter((name) => !wanted.has(name));
  const names = [
    ...batch,
    ...l.names.filter((name) => !shared.includes(name)),
    ...r.names.filter((name) => !shared.includes(name)),
  ];
  if (contracted.length === 0) {
    const sizes = new Map([l, r].flatMap((t) => t.names.map((name, d) => [name, t.x.type.shape[d]!])));
    return { x: mul(spread(l, names, sizes), spread(r, names, sizes)) as Node, names };
  }
  const at = (t: Term, list: readonly string[]): number[] => list.map((name) => t.names.indexOf(name));
  const x = dotGeneral(l.x, r.x, {
    lhsBatch: at(l, batch),
    rhsBatch: at(r, batch),
    lhsContract: at(l, contracted),
    rhsContract: at(r, contracted),
  });
  return { x, names };
}

/** The value with its dimensions in the order of `names`, repeated along those that it lacks. */
function spread({ x, names: own }: Term, names: readonly string[], sizes: ReadonlyMap<string, number>): Node {
  const present = names.filter((name) => own.includes(name));
  const ordered = transpose(
    x,
    present.map((name) => own.indexOf(name)),
  ) as Node;
  return broadcastInDim(
    ordered,
    names.map((name) => sizes.get(name)!),
    present.map((name) => names.indexOf(name)),
  );
}

/** Positions of the two terms whose product is smallest. */
function cheapestPair(
  terms: readonly Term[],
  result: readonly string[],
  sizes: ReadonlyMap<string, number>,
): [number, number] {
  let best: [number, number] = [0, 1];
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < terms.length; i++) {
    for (let j = i + 1; j < terms.length; j++) {
      const wanted = wantedBy(
        terms.filter((_, k) => k !== i && k !== j),
        result,
      );
      const names = new Set([...terms[i]!.names, ...terms[j]!.names].filter((name) => wanted.has(name)));
      const size = elementCount([...names].map((name) => sizes.get(name)!));
      if (size >= least) continue;
      least = size;
      best = [i, j];
    }
  }
  return best;
}
