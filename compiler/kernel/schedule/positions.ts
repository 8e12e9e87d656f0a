// Positions computed once. A gathered sum (gathered.ts) that walks through its elements several times, for a few rows and columns
// each time, would make the position of each anew: the value is clamped, taken apart, and scaled. Instead a kernel before it
// stores what the value adds to the address:
//
//   for c, p:   at = index[c, p]; … x[… + (at mod 2) + 28 · (at div 2)]     →     … x[… + offset[c, p]]

import {
  type Atom,
  addIndex,
  atomIndex,
  type Index,
  indexRange,
  isStaticIndex,
  type LoopVar,
  varIndex,
} from '../affine.ts';
import { flatIndex, type KernelDefinition, volume } from '../definition.ts';
import { binary, constant, type Expr, indexValue, walkExprs } from '../expr.ts';
import { coefficientOf, dependsOn, replacer, substituter } from '../substitute.ts';
import { type Bound, type NewTemporary, pruneParams, withParam } from './bound.ts';
import type { Load } from './product.ts';

/**
 * The definition with the offsets of `x`, one of its loads, read from a buffer, after the definition that stores them. `reduced`:
 * the loops of the sum, beside those of its space. Null when offsets are not for all elements of one sum alike.
 */
export function storePositions<Arg>(
  bound: Bound<Arg>,
  x: Load,
  reduced: readonly LoopVar[],
  temporary: NewTemporary<Arg>,
): readonly [Bound<Arg>, Bound<Arg>] | null {
  const { def } = bound;
  const isMoving = ({ atom }: Index['terms'][number]): boolean =>
    !isStaticIndex({ constant: 0, terms: [{ coeff: 1, atom }] });
  const offset: Index = { constant: 0, terms: x.index.terms.filter(isMoving) };
  const rest: Index = { constant: x.index.constant, terms: x.index.terms.filter((t) => !isMoving(t)) };
  const { min, max } = indexRange(offset);
  const value = asValue(offset);
  if (min < 0) return null;
  const loops = inMemoryOrder(
    [...def.space, ...reduced].filter((v) => dependsOn(value, v)),
    value,
  );
  const name = `${def.name} (positions)`;
  const elements = volume(loops);
  const arg = temporary(name, elements, 'i32');
  const param = def.params.length;
  const temp = { name, storage: 'i32', elements } as const;
  const fresh = loops.map((v) => def.vars.make(v.name, v.extent));
  const inFresh = substituter((v) => {
    const k = loops.indexOf(v);
    return k < 0 ? undefined : varIndex(fresh[k]!);
  });
  const first = withParam(bound, { ...temp, access: 'write' }, arg);
  const second = withParam(bound, { ...temp, access: 'read' }, arg);
  const stored: Expr = { kind: 'load', type: 'i32', param, index: flatIndex(loops), laneStride: 0 };
  const at = atomIndex({ kind: 'value', expr: stored, extent: max + 1, id: def.vars.next() });
  const move = replacer((e) => (e === x ? { ...x, index: addIndex(rest, at) } : undefined));
  const isWritten = (d: KernelDefinition, i: number): boolean => i === param || i === d.flags;
  return [
    pruneParams<Arg>({
      def: {
        ...first.def,
        name,
        params: first.def.params.map((p, i) => (isWritten(def, i) ? p : { ...p, access: 'read' })),
        space: fresh,
        stores: [{ param, index: flatIndex(fresh), value: inFresh(value) }],
      },
      args: first.args,
    }),
    pruneParams<Arg>({
      def: { ...second.def, stores: second.def.stores.map((s) => ({ ...s, value: move(s.value) })) },
      args: second.args,
    }),
  ];
}

/** Loops, outermost first, as what the value is made of lies in memory. */
function inMemoryOrder(loops: readonly LoopVar[], value: Expr): LoopVar[] {
  const load = walkExprs([value]).find((e): e is Load => e.kind === 'load');
  const distance = (v: LoopVar): number => (load ? Math.abs(coefficientOf(load.index, v)) || 0 : 0);
  return [...loops].sort((a, b) => distance(b) - distance(a));
}

/** An index as an i32 value, by arithmetic that lanes can do. */
function asValue(i: Index): Expr {
  const terms = i.terms.map(({ coeff, atom }) => {
    const x = atomValue(atom);
    return coeff === 1 ? x : binary('mul', x, constant('i32', coeff));
  });
  const [first, ...more] = i.constant === 0 ? terms : [...terms, constant('i32', i.constant)];
  return more.reduce((sum, x) => binary('add', sum, x), first ?? constant('i32', 0));
}

function atomValue(atom: Atom): Expr {
  if (atom.kind === 'value') return atom.expr;
  if (atom.kind === 'var') return indexValue(varIndex(atom));
  const x = asValue(atom.x);
  const shift = Math.log2(atom.by);
  const isPower = Number.isInteger(shift) && indexRange(atom.x).min >= 0;
  if (atom.kind === 'div')
    return isPower ? binary('shr', x, constant('i32', shift)) : binary('div', x, constant('i32', atom.by));
  return isPower
    ? binary('and', x, constant('i32', atom.by - 1))
    : binary('mod', x, constant('i32', atom.by));
}
