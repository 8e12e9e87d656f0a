// The verifier of Kernel IR: what targets may rely on. Types agree, variables and registers are known where they are used,
// no unscheduled reductions are left, unspecified lanes are not stored, writes go to write parameters, and every access
// lies within its buffer, by ranges (range.ts).

import { compilerError } from '../graph/errors.ts';
import type { Index, Range } from './affine.ts';
import type { Expr, Register } from './expr.ts';
import type { Kernel, Lanes, Stmt } from './ir.ts';
import { printKernel } from './print.ts';
import {
  emptyRanges,
  exactRange,
  type RangeScope,
  rangeOf,
  withConditions,
  withLoop,
  withoutConditions,
} from './range.ts';
import { typeError } from './typing.ts';

/** Where a statement stands. */
interface Place {
  readonly vars: ReadonlySet<number>;
  /** Registers that may be read, each with the number of lanes that hold values. */
  readonly registers: Map<number, Held>;
  readonly ranges: RangeScope;
}

interface Held {
  readonly reg: Register;
  lanes: Lanes;
}

/**
 * Throws HDL0012 when the kernel breaks a rule; the error names it and shows the kernel.
 *
 * @example
 * verifyKernel(kernel); // kernel 'matmul' stores element 64 … 67 of 'y', which has 64 elements
 */
export function verifyKernel(kernel: Kernel): void {
  const fail: (what: string, rule: string) => never = (what, rule) => {
    throw compilerError('HDL0012', {
      what: `kernel '${kernel.name}' ${what}`,
      rule,
      hint: `this is a mistake of the compiler; the kernel is\n${printKernel(kernel)}`,
    });
  };
  if (kernel.flags !== null && kernel.params[kernel.flags]?.storage !== 'i32')
    fail('has flags that are no i32 parameter', 'flags are words of 32 bits');
  if (!(kernel.unit.extent >= 1)) fail('has no units', 'the unit variable has an extent of 1 or more');

  const statements = (list: readonly Stmt[], outer: Place): void => {
    const place: Place = { ...outer, registers: new Map(outer.registers) };
    for (const s of list) statement(s, place);
  };

  const statement = (s: Stmt, place: Place): void => {
    switch (s.kind) {
      case 'for': {
        if (!(Number.isInteger(s.step) && s.step > 0))
          fail(`has a loop with step ${s.step}`, 'steps are positive');
        index(s.limit, place);
        const most = rangeOf(s.limit, place.ranges).max;
        if (most > s.v.extent)
          fail(
            `has a loop over ${s.v.name} up to ${most}`,
            `the limit is at most the extent, which is ${s.v.extent}`,
          );
        if (place.vars.has(s.v.id))
          fail(`has two loops over ${s.v.name} in each other`, 'a variable has one loop');
        lower(s.body, place.registers);
        statements(s.body, {
          vars: new Set([...place.vars, s.v.id]),
          registers: place.registers,
          ranges: withLoop(place.ranges, s.v, s.step, s.limit),
        });
        break;
      }
      case 'if':
        for (const c of s.conditions) index(c.index, place);
        statements(s.body, { ...place, ranges: withConditions(place.ranges, s.conditions) });
        statements(s.otherwise, { ...place, ranges: withoutConditions(place.ranges, s.conditions) });
        lower([...s.body, ...s.otherwise], place.registers);
        break;
      case 'let':
      case 'set': {
        const lanes = expression(s.value, s.lanes, place);
        if (s.reg.type !== s.value.type)
          fail(`sets register ${s.reg.name}: ${s.reg.type} to a ${s.value.type}`, 'types agree');
        if (s.kind === 'let') place.registers.set(s.reg.id, { reg: s.reg, lanes });
        else {
          const held = place.registers.get(s.reg.id);
          if (!held) fail(`sets register ${s.reg.name} before it is introduced`, 'let comes first');
          else held.lanes = Math.min(held.lanes, lanes) as Lanes;
        }
        break;
      }
      case 'store': {
        const param = kernel.params[s.param];
        if (!param) fail(`stores to parameter ${s.param}`, `it has ${kernel.params.length} parameters`);
        if (param.access !== 'write') fail(`stores to '${param.name}'`, 'stores go to write parameters');
        const held = expression(s.value, s.lanes, place);
        if (held < s.lanes)
          fail(
            `stores ${s.lanes} lanes to '${param.name}' of a value with ${held === 1 ? 'one' : 'two'}`,
            'lanes that were not computed are not stored',
          );
        const type = param.storage === 'u8' ? 'u32' : param.storage;
        if (s.value.type !== type)
          fail(`stores ${s.value.type} to '${param.name}'`, `it holds ${param.storage}`);
        index(s.index, place);
        access('stores', s.param, s.index, (s.lanes - 1) * s.laneStride, place.ranges);
        break;
      }
      default:
        s satisfies never;
    }
  };

  /** Registers lose lanes that a `set` inside does not compute, before the body: the next round reads them. */
  const lower = (body: readonly Stmt[], registers: ReadonlyMap<number, Held>): void => {
    for (const s of body) {
      if (s.kind === 'for') lower(s.body, registers);
      else if (s.kind === 'if') lower([...s.body, ...s.otherwise], registers);
      else if (s.kind === 'set') {
        const held = registers.get(s.reg.id);
        if (held) held.lanes = Math.min(held.lanes, s.lanes) as Lanes;
      }
    }
  };

  /** Checks an expression; returns how many lanes hold values. */
  const expression = (root: Expr, lanes: Lanes, place: Place): Lanes => {
    const memos = new Map<RangeScope, Map<Expr, Lanes>>();
    const visit = (e: Expr, ranges: RangeScope): Lanes => {
      let memo = memos.get(ranges);
      if (!memo) {
        memo = new Map();
        memos.set(ranges, memo);
      }
      const seen = memo.get(e);
      if (seen !== undefined) return seen;
      const held = compute(e, ranges);
      memo.set(e, held);
      return held;
    };
    const compute = (e: Expr, ranges: RangeScope): Lanes => {
      const here: Place = { ...place, ranges };
      const wrong = typeError(e);
      if (wrong !== null) fail(`has ${wrong}`, 'types of operands agree');
      switch (e.kind) {
        case 'const':
          return 4;
        case 'load': {
          const param = kernel.params[e.param];
          if (!param) fail(`loads parameter ${e.param}`, `it has ${kernel.params.length} parameters`);
          const type = param.storage === 'u8' ? 'u32' : param.storage;
          if (e.type !== type) fail(`loads '${param.name}' as ${e.type}`, `it holds ${param.storage}`);
          index(e.index, here, lanes);
          access('loads', e.param, e.index, (lanes - 1) * e.laneStride, ranges);
          return lanes;
        }
        case 'index':
          index(e.index, here, lanes);
          return lanes;
        case 'reg': {
          const held = place.registers.get(e.reg.id);
          if (!held)
            fail(`reads register ${e.reg.name} before it is set`, 'let comes first, in the same block');
          if (held.reg.type !== e.type)
            fail(`reads register ${e.reg.name} as ${e.type}`, `it holds ${held.reg.type}`);
          return held.lanes;
        }
        case 'guard': {
          for (const c of e.conditions) index(c.index, here, lanes);
          const inside = visit(e.value, withConditions(ranges, e.conditions));
          const outside = visit(e.otherwise, withoutConditions(ranges, e.conditions));
          return Math.min(inside, outside) as Lanes;
        }
        case 'horizontal':
          if (lanes !== 4 || visit(e.x, ranges) !== 4)
            fail('combines lanes that hold no values', 'horizontal needs four computed lanes');
          return 4;
        case 'checkIndex':
        case 'checkFinite':
          if (kernel.flags === null) fail('has a check', 'a kernel with checks has a flags parameter');
          if (e.kind === 'checkIndex' && !(e.size >= 1))
            fail('checks against no elements', 'size is 1 or more');
          return visit(e.x, ranges);
        case 'reduce':
        case 'argmax':
          return fail(`has a ${e.kind} expression`, 'scheduling turns reductions into loops');
        case 'unary':
        case 'convert':
        case 'bitcast':
          return visit(e.x, ranges);
        case 'binary':
        case 'compare':
          return Math.min(visit(e.x, ranges), visit(e.y, ranges)) as Lanes;
        case 'select':
          return Math.min(visit(e.cond, ranges), visit(e.x, ranges), visit(e.y, ranges)) as Lanes;
        default:
          return e satisfies never;
      }
    };
    return Math.min(lanes, visit(root, place.ranges)) as Lanes;
  };

  const index = (i: Index, place: Place, lanes: Lanes = 1): void => {
    for (const { atom } of i.terms) {
      if (atom.kind === 'var') {
        if (!place.vars.has(atom.id))
          fail(`uses variable ${atom.name} outside of its loop`, 'variables are known inside their loops');
      } else if (atom.kind === 'value') {
        if (atom.expr.type !== 'i32') fail(`uses a ${atom.expr.type} as an index`, 'indices are i32');
        expression(atom.expr, lanes, place);
      } else index(atom.x, place, lanes);
    }
  };

  const access = (verb: string, param: number, i: Index, lastLane: number, ranges: RangeScope): void => {
    const { name, elements } = kernel.params[param]!;
    const lanes = { min: Math.min(0, lastLane), max: Math.max(0, lastLane) };
    // Code that is never reached accesses nothing.
    const inside = (r: Range): boolean =>
      r.min > r.max || (r.min + lanes.min >= 0 && r.max + lanes.max < elements);
    const rough = rangeOf(i, ranges);
    if (inside(rough)) return;
    const r = exactRange(i, ranges) ?? rough;
    if (inside(r)) return;
    const [min, max] = [r.min + lanes.min, r.max + lanes.max];
    fail(
      `${verb} element ${min} … ${max} of '${name}', which has ${elements} elements`,
      'accesses stay inside',
    );
  };

  statements(kernel.body, {
    vars: new Set([kernel.unit.id]),
    registers: new Map(),
    ranges: withLoop(emptyRanges, kernel.unit, 1, { constant: kernel.unit.extent, terms: [] }),
  });
}
