// Enumeration: walks the trace of a kernel as it would run and reports every element that it touches, in order. Exact
// where indices depend on loop variables only; a value computed at run time gives NaN, and a branch on one takes both
// sides. For kernels that are small enough.

import type { Index, LoopVar } from '../kernel/affine.ts';
import type { Condition } from '../kernel/expr.ts';
import type { Access, Trace } from './trace.ts';

/** Called once per element. */
export type OnElement = (access: Access, element: number, unit: number) => void;

type Values = Float64Array;
type Evaluate = (values: Values) => number;

/** Walks units [0, unit.extent); false when it gave up after `limit` elements. */
export function enumerate(
  trace: readonly Trace[],
  unit: LoopVar,
  limit: number,
  onElement: OnElement,
): boolean {
  const slots = new Map<number, number>([[unit.id, 0]]);
  let left = limit;
  let current = 0;
  const report = (access: Access, element: number): void => {
    if (--left < 0) throw new GivenUp();
    onElement(access, element, current);
  };
  const run = sequence(trace, slots, report);
  const values = new Float64Array(slots.size);
  try {
    for (current = 0; current < unit.extent; current++) {
      values[0] = current;
      run(values);
    }
  } catch (error) {
    if (error instanceof GivenUp) return false;
    throw error;
  }
  return true;
}

class GivenUp extends Error {}

type Run = (values: Values) => void;

function sequence(
  trace: readonly Trace[],
  slots: Map<number, number>,
  report: (a: Access, element: number) => void,
): Run {
  const parts = trace.map((t): Run => {
    switch (t.kind) {
      case 'load':
      case 'store': {
        const index = compileIndex(t.index, slots);
        const { lanes, stride } = t;
        return (values) => {
          const base = index(values);
          for (let l = 0; l < lanes; l++) report(t, base + l * stride);
        };
      }
      case 'loop': {
        const limit = compileIndex(t.limit, slots);
        const slot = slotOf(t.v, slots);
        const body = sequence(t.body, slots, report);
        const { step } = t;
        return (values) => {
          const known = limit(values);
          const end = Number.isNaN(known) ? t.v.extent : known;
          for (let i = 0; i < end; i += step) {
            values[slot] = i;
            body(values);
          }
        };
      }
      case 'branch': {
        const conditions = t.conditions.map((c) => compileCondition(c, slots));
        const body = sequence(t.body, slots, report);
        const otherwise = sequence(t.otherwise, slots, report);
        return (values) => {
          let isOpen = false;
          for (const condition of conditions) {
            const holds = condition(values);
            if (holds === false) return otherwise(values);
            if (holds === null) isOpen = true;
          }
          body(values);
          if (isOpen) otherwise(values);
        };
      }
      default:
        return t satisfies never;
    }
  });
  return (values) => {
    for (const part of parts) part(values);
  };
}

function slotOf(v: LoopVar, slots: Map<number, number>): number {
  const known = slots.get(v.id);
  if (known !== undefined) return known;
  slots.set(v.id, slots.size);
  return slots.size - 1;
}

function compileIndex(index: Index, slots: Map<number, number>): Evaluate {
  const { constant } = index;
  const parts = index.terms.map(({ coeff, atom }): { coeff: number; value: Evaluate } => {
    switch (atom.kind) {
      case 'var': {
        const slot = slotOf(atom, slots);
        return { coeff, value: (values) => values[slot]! };
      }
      case 'div': {
        const x = compileIndex(atom.x, slots);
        return { coeff, value: (values) => Math.floor(x(values) / atom.by) };
      }
      case 'mod': {
        const x = compileIndex(atom.x, slots);
        return {
          coeff,
          value: (values) => {
            const n = x(values);
            return n - Math.floor(n / atom.by) * atom.by;
          },
        };
      }
      case 'value':
        return { coeff, value: () => Number.NaN };
      default:
        return atom satisfies never;
    }
  });
  return (values) => {
    let sum = constant;
    for (const { coeff, value } of parts) sum += coeff * value(values);
    return sum;
  };
}

function compileCondition(c: Condition, slots: Map<number, number>): (values: Values) => boolean | null {
  const index = compileIndex(c.index, slots);
  return (values) => {
    const n = index(values);
    if (Number.isNaN(n)) return null;
    return c.kind === 'inRange' ? n >= c.lo && n < c.hi : n % c.by === 0;
  };
}
