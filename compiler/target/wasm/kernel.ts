// Code of one kernel: its prologue, the loop over units, statements.
//
//   prologue   addresses of the parameters and vector constants into locals
//   unit loop  while begin < end
//   loops      invariant parts of addresses before the loop; in an innermost loop one pointer per distinct address,
//              moved by a constant per round, so that a round holds loads, arithmetic and stores, and little else

import { compilerError } from '../../graph/errors.ts';
import type { Expr } from '../../kernel/expr.ts';
import type { Kernel, Stmt } from '../../kernel/ir.ts';
import { mathExpander } from '../../kernel/math.ts';
import { usedParams } from '../../kernel/uses.ts';
import { Accesses, collectAccesses, type LoopAccesses, makeSum } from '../access.ts';
import { FunctionBuilder } from './encoder.ts';
import { Expressions } from './expression.ts';
import { type Computing, rareGroups } from './rare-groups.ts';
import { RareTests } from './rare-tests.ts';
import { Scopes } from './scope.ts';

type For = Extract<Stmt, { kind: 'for' }>;
type Store = Extract<Stmt, { kind: 'store' }>;

const begin = 0;
const end = 1;
const args = 2;

/** The function of a kernel. `listed`: keep the text of the instructions. */
export function buildFunction(kernel: Kernel, relaxed: boolean, listed: boolean): FunctionBuilder {
  const fn = new FunctionBuilder(
    kernel.name,
    [
      ['begin', 'i32'],
      ['end', 'i32'],
      ['args', 'i32'],
    ],
    listed,
  );
  const expand = mathExpander();
  const bases = loadBases(kernel, fn);
  const scopes = new Scopes(fn, bases);
  const accesses = new Accesses(kernel, 'bytes');
  const expressions = new Expressions(kernel, fn, scopes, accesses, bases, relaxed);
  const loops = collectAccesses(kernel, accesses, expand);
  const code = fn.body;
  /** Ids of registers that hold what is stored later: those of kernels are not negative. */
  let synthetic = -1;

  const statements = (list: readonly Stmt[]): void => {
    for (const part of rareGroups(list, expand)) {
      if ('kind' in part) statement(part);
      else group(part);
    }
  };

  /** Statements whose rare sides stand under one branch (rare-groups.ts). */
  const group = (list: readonly Computing[]): void => {
    const computing = list.map((s): Exclude<Computing, Store> => {
      if (s.kind !== 'store') return s;
      const reg = { name: 'out', type: s.value.type, id: synthetic-- };
      return { kind: 'let', reg, value: s.value, lanes: s.lanes };
    });
    const made = new Set(computing.flatMap((s) => (s.kind === 'let' ? [s.reg.id] : [])));
    const sets = computing.flatMap((s) => (s.kind === 'set' && !made.has(s.reg.id) ? [s.reg.id] : []));
    /** Accumulators: what they held before is needed again. */
    const changed = [...new Set(sets)];
    const before = changed.map((id) => {
      const old = scopes.local('v128', 'old');
      code.get(expressions.register(id));
      code.set(old);
      return old;
    });
    const tests = new RareTests(code, () => scopes.local('v128', 'rare'));
    expressions.tests = tests;
    for (const s of computing) compute(s);
    expressions.tests = null;
    tests.emit(expressions);
    code.if();
    scopes.enter();
    changed.forEach((id, i) => {
      code.get(before[i]!);
      code.set(expressions.register(id));
    });
    for (const s of computing) compute(s, true);
    scopes.leave();
    code.end();
    list.forEach((s, i) => {
      if (s.kind !== 'store') return;
      const { reg } = computing[i]!;
      store(s, { kind: 'reg', type: reg.type, reg });
    });
  };

  /** `again`: its register has a local. */
  const compute = (s: Exclude<Computing, Store>, again = false): void => {
    const value = expand(s.value);
    expressions.begin(s.lanes, [value]);
    expressions.emit(value);
    if (s.kind === 'let' && !again) expressions.bindRegister(s.reg.id, scopes.local('v128', s.reg.name));
    code.set(expressions.register(s.reg.id));
    expressions.end();
  };

  const block = (list: readonly Stmt[]): void => {
    scopes.enter();
    statements(list);
    scopes.leave();
  };

  const statement = (s: Stmt): void => {
    switch (s.kind) {
      case 'let':
      case 'set':
        compute(s);
        break;
      case 'store':
        store(s, expand(s.value));
        break;
      case 'if':
        expressions.begin(
          1,
          [],
          s.conditions.map((c) => c.index),
        );
        expressions.conditions(s.conditions);
        expressions.end();
        code.if();
        block(s.body);
        if (s.otherwise.length > 0) {
          code.else();
          block(s.otherwise);
        }
        code.end();
        break;
      case 'for':
        loop(s, loops.get(s)!);
        break;
      default:
        s satisfies never;
    }
  };

  const store = (s: Store, value: Expr): void => {
    expressions.begin(s.lanes, [value], [s.index]);
    const { storage } = kernel.params[s.param]!;
    const isByte = storage === 'bool' || storage === 'u8';
    const { local, offset } = expressions.pointer(s.param, s.index, s.laneStride);
    if (!isByte && s.lanes > 1 && s.laneStride === 1) {
      code.get(local);
      expressions.emit(value);
      if (s.lanes === 4) code.memory('v128.store', offset);
      else code.memory('v128.store64_lane', offset, 0);
    } else {
      expressions.emit(value);
      if (storage === 'bool') {
        code.get(expressions.splat(1));
        code.op('v128.and');
      }
      const v = scopes.temporary('v128', 'v');
      code.set(v);
      if (isByte && s.lanes === 4 && s.laneStride === 1) {
        code.get(local);
        code.get(v);
        code.get(v);
        code.shuffle([0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12]);
        code.memory('v128.store32_lane', offset, 0);
      } else {
        const start = Math.min(0, s.laneStride * (s.lanes - 1));
        for (let lane = 0; lane < s.lanes; lane++) {
          const at = offset + (lane * s.laneStride - start) * (isByte ? 1 : 4);
          code.get(local);
          code.get(v);
          code.memory(isByte ? 'v128.store8_lane' : 'v128.store32_lane', at, isByte ? 4 * lane : lane);
        }
      }
    }
    expressions.end();
  };

  const loop = (s: For, known: LoopAccesses): void => {
    for (const sum of known.needs) scopes.sum(sum);
    const rounds = s.limit.terms.length === 0 ? Math.ceil(s.limit.constant / s.step) : null;
    if (rounds !== null && rounds <= 0) return;
    scopes.enter();
    let limit: number | null = null;
    if (rounds === null) {
      limit = scopes.local('i32', 'limit');
      expressions.begin(1, [], [s.limit]);
      expressions.plainIndex(s.limit);
      expressions.end();
      code.set(limit);
      code.i32(0);
      code.get(limit);
      code.op('i32.lt_s');
      code.if();
    }
    const counter = scopes.local('i32', s.v.name);
    code.i32(0);
    code.set(counter);
    scopes.enterLoop(s.v, counter);
    const moves: [pointer: number, bytes: number][] = [];
    if (known.innermost && rounds !== 1) {
      for (const sum of known.direct) {
        if (sum.param < 0) continue;
        const step = scopes.stepOf(sum);
        if (step === null) continue;
        const from = scopes.sum(makeSum(sum.param, sum.scale, step.outer, 0))!;
        const pointer = scopes.local('i32', `p${sum.param}_`);
        code.get(from);
        if (sum.bias !== 0) {
          code.i32(sum.bias * sum.scale);
          code.op('i32.add');
        }
        code.set(pointer);
        scopes.know(sum, pointer);
        moves.push([pointer, step.coeff * sum.scale * s.step]);
      }
    }
    if (rounds === 1) block(s.body);
    else {
      code.loop();
      block(s.body);
      for (const [pointer, bytes] of moves) {
        code.get(pointer);
        code.i32(bytes);
        code.op('i32.add');
        code.set(pointer);
      }
      code.get(counter);
      code.i32(s.step);
      code.op('i32.add');
      code.tee(counter);
      if (limit === null) code.i32(s.limit.constant);
      else code.get(limit);
      code.op('i32.lt_s');
      code.branchIf(0);
      code.end();
    }
    if (rounds === null) code.end();
    scopes.leaveLoop();
    scopes.leave();
  };

  code.get(begin);
  code.get(end);
  code.op('i32.lt_u');
  code.if();
  code.loop();
  scopes.enterLoop(kernel.unit, begin);
  block(kernel.body);
  scopes.leaveLoop();
  code.get(begin);
  code.i32(1);
  code.op('i32.add');
  code.tee(begin);
  code.get(end);
  code.op('i32.lt_u');
  code.branchIf(0);
  code.end();
  code.end();
  return fn;
}

/** Loads the address of each parameter that the kernel uses into a local. */
function loadBases(kernel: Kernel, fn: FunctionBuilder): ReadonlyMap<number, number> {
  const bases = new Map<number, number>();
  for (const param of usedParams(kernel)) {
    const declared = kernel.params[param];
    if (!declared)
      throw compilerError('HDL0099', {
        what: `internal: kernel '${kernel.name}' has no parameter ${param}`,
      });
    const local = fn.local('i32', declared.name);
    fn.prologue.get(args);
    fn.prologue.memory('i32.load', 4 * param);
    fn.prologue.set(local);
    bases.set(param, local);
  }
  return bases;
}
