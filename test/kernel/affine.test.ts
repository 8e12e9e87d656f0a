// Given random indices and random places, when indices are added, scaled, divided and substituted, then what they simplify
// to has the same value everywhere, lies in its range, and has the same key as anything equal to it in form.

import fc from 'fast-check';
import t from 'tap';
import {
  addIndex,
  atomIndex,
  coefficientOfVar,
  constIndex,
  divIndex,
  type Index,
  indexKey,
  indexRange,
  type LoopVar,
  modIndex,
  offsetIndex,
  sameIndex,
  scaleIndex,
  substituteIndex,
  varIndex,
} from '../../compiler/kernel/affine.ts';
import { constant } from '../../compiler/kernel/expr.ts';

const seed = 20240701;
const extents = [1, 2, 3, 4, 7, 12];
const vars: readonly LoopVar[] = extents.map((extent, id) => ({ kind: 'var', name: `v${id}`, extent, id }));

/** An index together with what it is meant to be. */
interface Meant {
  readonly index: Index;
  readonly at: (places: readonly number[]) => number;
}

const floorDiv = (a: number, b: number): number => Math.floor(a / b);

const indices: fc.Arbitrary<Meant> = fc.letrec<{ index: Meant }>((tie) => ({
  index: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.integer({ min: -20, max: 20 }).map((c): Meant => ({ index: constIndex(c), at: () => c })),
    fc.nat(vars.length - 1).map((i): Meant => ({ index: varIndex(vars[i]!), at: (p) => p[i]! })),
    fc.array(tie('index'), { minLength: 1, maxLength: 3 }).map(
      (parts): Meant => ({
        index: addIndex(...parts.map((x) => x.index)),
        at: (p) => parts.reduce((n, x) => n + x.at(p), 0),
      }),
    ),
    fc
      .tuple(tie('index'), fc.integer({ min: -6, max: 12 }))
      .map(([x, by]): Meant => ({ index: scaleIndex(x.index, by), at: (p) => x.at(p) * by })),
    fc
      .tuple(tie('index'), fc.integer({ min: 1, max: 12 }))
      .map(([x, by]): Meant => ({ index: divIndex(x.index, by), at: (p) => floorDiv(x.at(p), by) })),
    fc.tuple(tie('index'), fc.integer({ min: 1, max: 12 })).map(
      ([x, by]): Meant => ({
        index: modIndex(x.index, by),
        at: (p) => x.at(p) - by * floorDiv(x.at(p), by),
      }),
    ),
    fc
      .tuple(tie('index'), fc.integer({ min: -9, max: 9 }))
      .map(([x, by]): Meant => ({ index: offsetIndex(x.index, by), at: (p) => x.at(p) + by })),
  ),
})).index;

const places: fc.Arbitrary<readonly number[]> = fc.tuple(...extents.map((n) => fc.nat(n - 1)));

/** The value of an index, term by term. */
function valueAt(index: Index, p: readonly number[]): number {
  return index.terms.reduce((sum, { coeff, atom }) => {
    if (atom.kind === 'var') return sum + coeff * p[atom.id]!;
    if (atom.kind === 'value') throw new Error('no values here');
    const x = valueAt(atom.x, p);
    const quotient = floorDiv(x, atom.by);
    return sum + coeff * (atom.kind === 'div' ? quotient : x - atom.by * quotient);
  }, index.constant);
}

function check(...args: Parameters<typeof fc.assert>): void {
  fc.assert(args[0], { seed, numRuns: 2000, ...args[1] });
}

t.test(`simplified indices keep their values, and lie in their ranges, seed ${seed}`, async (t) => {
  check(
    fc.property(indices, fc.array(places, { minLength: 8, maxLength: 8 }), ({ index, at }, points) => {
      const { min, max } = indexRange(index);
      return points.every((p) => valueAt(index, p) === at(p) && at(p) >= min && at(p) <= max);
    }),
  );
  t.pass('2000 indices at 8 places');
});

t.test('terms are sorted, none is zero, none comes twice', async (t) => {
  check(
    fc.property(indices, ({ index }) => {
      const keys = index.terms.map((x) => indexKey(atomIndex(x.atom)));
      return new Set(keys).size === keys.length && index.terms.every((x) => x.coeff !== 0);
    }),
  );
  check(
    fc.property(indices, indices, ({ index: a }, { index: b }) => {
      const [ab, ba] = [addIndex(a, b), addIndex(b, a)];
      const nothing = addIndex(ab, scaleIndex(ba, -1));
      return (
        indexKey(ab) === indexKey(ba) &&
        sameIndex(ab, ba) &&
        nothing.terms.length === 0 &&
        nothing.constant === 0
      );
    }),
  );
  t.pass('a + b = b + a, a − a = 0');
});

t.test('keys and comparison agree', async (t) => {
  check(
    fc.property(
      indices,
      indices,
      ({ index: a }, { index: b }) => sameIndex(a, b) === (indexKey(a) === indexKey(b)),
    ),
  );
  t.pass();
});

t.test('substitution is evaluation at the substituted places; nothing to do keeps the object', async (t) => {
  check(
    fc.property(indices, fc.nat(vars.length - 1), places, ({ index, at }, i, p) => {
      // Running v backwards keeps it in its range.
      const back = offsetIndex(scaleIndex(varIndex(vars[i]!), -1), extents[i]! - 1);
      const moved = substituteIndex(index, (v) => (v.id === i ? back : undefined));
      const there = p.map((x, k) => (k === i ? extents[i]! - 1 - x : x));
      return valueAt(moved, p) === at(there) && substituteIndex(index, () => undefined) === index;
    }),
  );
  t.pass();
});

t.test('a coefficient is the distance of neighbours, or not a number', async (t) => {
  check(
    fc.property(indices, fc.nat(vars.length - 1), places, ({ index }, i, p) => {
      const c = coefficientOfVar(index, vars[i]!, () => true);
      if (Number.isNaN(c) || p[i]! + 1 >= extents[i]!) return true;
      return valueAt(index, p.with(i, p[i]! + 1)) - valueAt(index, p) === c;
    }),
  );
  t.pass();
});

t.test('what is known to vanish vanishes', async (t) => {
  const [i, j] = [vars[5]!, vars[3]!]; // i < 12, j < 4
  const flat = addIndex(scaleIndex(varIndex(i), 4), varIndex(j));
  t.equal(indexKey(divIndex(flat, 4)), indexKey(varIndex(i)), '(4i + j) / 4 = i');
  t.equal(indexKey(modIndex(flat, 4)), indexKey(varIndex(j)), '(4i + j) mod 4 = j');
  t.equal(indexKey(divIndex(offsetIndex(flat, -48), 48)), '+-1', 'one range before');
  t.equal(
    indexKey(divIndex(divIndex(varIndex(i), 2), 3)),
    indexKey(divIndex(varIndex(i), 6)),
    'i / 2 / 3 = i / 6',
  );
  t.equal(indexKey(varIndex(vars[0]!)), '+0', 'a loop of one round');
  const looked = atomIndex({ kind: 'value', expr: constant('i32', 3), extent: 5, id: 99 });
  t.same(
    indexRange(addIndex(scaleIndex(looked, -2), constIndex(1))),
    { min: -7, max: 1 },
    'a value known at run time',
  );
});

t.test('what was divided and put together again is whole', async (t) => {
  const [a, b] = [vars[5]!, vars[4]!];
  const split = (x: Index, by: number, coeff: number): Index =>
    addIndex(scaleIndex(modIndex(x, by), coeff), scaleIndex(divIndex(x, by), coeff * by));
  t.equal(indexKey(split(varIndex(a), 5, 1)), indexKey(varIndex(a)));
  const sum = addIndex(scaleIndex(varIndex(a), 3), varIndex(b), constIndex(2));
  t.equal(indexKey(split(sum, 5, 4)), indexKey(scaleIndex(sum, 4)));
  const apart = addIndex(modIndex(varIndex(a), 5), scaleIndex(divIndex(varIndex(a), 5), 6));
  t.equal(apart.terms.length, 2, 'panels that are apart stay apart');
});
