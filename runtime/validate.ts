// Is a plan well-formed? Plans come from files too, so nothing is taken for granted: types, ranges, that every address
// a kernel gets leaves room for what it may touch, that committed state is only read, that every schedule does each
// unit exactly once. What a kernel computes cannot be checked: WebAssembly confines it to the executor's memory; a plan
// of the `js` target is a program, to be loaded only from where programs are loaded from.

import { runtimeError } from './errors.ts';
import { callsOf, loopOfSteps, mostCalls, reachOf } from './loops.ts';
import { check, checkCount, checkUnique, isRecord, itemAt, Malformed } from './malformed.ts';
import {
  type Location,
  type Plan,
  type PlanManifest,
  type PlanMove,
  type PlanPlacement,
  type PlanTensor,
  type PlanWork,
  planFormat,
} from './plan.ts';
import { elementBytes, tensorBytes } from './tensor.ts';
import { checkArena, checkBuffers, checkLives } from './validate-memory.ts';
import { checkModule } from './validate-module.ts';
import { checkSchedule } from './validate-schedule.ts';

/** What a location gives room for, and whether kernels may write there. */
interface Room {
  readonly bytes: number;
  readonly writable: boolean;
}

/** Throws HDL1006 with the reason when the plan is not well-formed. */
export function validatePlan(plan: Plan): void {
  try {
    checkPlan(plan);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const entry: unknown = isRecord(plan) && isRecord(plan.manifest) ? plan.manifest.entry : undefined;
    throw runtimeError('HDL1006', {
      what: `plan ${typeof entry === 'string' ? `'${entry}' ` : ''}cannot be loaded: ${error.message}`,
      rule: 'a plan is exactly what runtime/plan.ts describes',
      hint: 'compile it again with this version',
    });
  }
}

function checkPlan(plan: Plan): void {
  check(isRecord(plan) && isRecord(plan.manifest), 'it has no manifest');
  check(plan.code instanceof Uint8Array, 'code is not bytes');
  check(plan.constants instanceof Uint8Array, 'constants are not bytes');
  const m = plan.manifest;
  const format: unknown = m.format;
  check(format === planFormat, `it has format ${String(format)}, this runtime reads format ${planFormat}`);
  check(typeof m.entry === 'string', 'entry is not a string');
  check(m.target === 'wasm' || m.target === 'js', `target ${String(m.target)} is unknown`);
  const tiles: unknown = m.tiles;
  check(tiles === undefined || isRecord(tiles), 'tiles is not a record');
  checkCount(m.arenaBytes, 'arenaBytes');
  checkCount(m.constantBytes, 'constantBytes');
  check(
    plan.constants.length === m.constantBytes,
    `constants have ${plan.constants.length} bytes, the manifest says ${m.constantBytes}`,
  );
  for (const key of [
    'features',
    'inputs',
    'outputs',
    'variables',
    'kernels',
    'steps',
    'schedules',
    'sites',
    'buffers',
  ] as const)
    /* biome-ignore format: a list */ check(Array.isArray(m[key]), `${key} is not a list`);
  m.features.forEach((name, i) => {
    check(typeof name === 'string', `features[${i}] is not a string`);
  });
  checkTensors(m);
  checkLoops(m);
  checkSteps(m);
  check(m.schedules.length > 0, 'it has no schedule');
  m.schedules.forEach((schedule, i) => {
    checkSchedule(m, schedule, `schedules[${i}]`);
  });
  checkBuffers(m);
  checkLives(m);
  checkArena(m);
  if (m.target === 'wasm') checkModule(m, plan.code);
}

function checkTensors(m: PlanManifest): void {
  m.variables.forEach((variable, i) => {
    const where = `variables[${i}]`;
    checkTensor(variable, where);
    checkOrder(variable, where);
    check(typeof variable.trainable === 'boolean', `${where}.trainable is not a boolean`);
    check(typeof variable.updated === 'boolean', `${where}.updated is not a boolean`);
  });
  checkUnique(m.variables, 'variables');
  for (const key of ['inputs', 'outputs'] as const) {
    m[key].forEach((placement, i) => {
      const where = `${key}[${i}]`;
      checkTensor(placement, where);
      checkOrder(placement, where);
      checkPlacement(m, placement, where, key === 'inputs');
    });
    checkUnique(m[key], key);
  }
}

function checkTensor(tensor: PlanTensor, where: string): void {
  check(isRecord(tensor), `${where} is not a record`);
  check(typeof tensor.name === 'string', `${where}.name is not a string`);
  const dtype: unknown = tensor.dtype;
  check(typeof dtype === 'string' && Object.hasOwn(elementBytes, dtype), `${where}.dtype is unknown`);
  check(Array.isArray(tensor.shape), `${where}.shape is not a list`);
  tensor.shape.forEach((extent, d) => {
    checkCount(extent, `${where}.shape[${d}]`);
  });
  checkCount(tensorBytes(tensor), `bytes of ${where}`);
}

function checkOrder(tensor: PlanTensor & { readonly order: readonly number[] }, where: string): void {
  const { order, shape } = tensor;
  const isPermutation =
    Array.isArray(order) &&
    order.length === shape.length &&
    new Set(order).size === order.length &&
    order.every((d) => Number.isInteger(d) && d >= 0 && d < shape.length);
  check(isPermutation, `${where}.order does not name each dimension once`);
}

function checkPlacement(m: PlanManifest, placement: PlanPlacement, where: string, isInput: boolean): void {
  const room = roomAt(m, placement.location, `${where}.location`);
  const { space } = placement.location;
  check(space !== 'flags', `${where}.location is in the flags`);
  check(!isInput || space === 'arena', `${where}.location is not in the arena`);
  const bytes = tensorBytes(placement);
  check(
    bytes <= room.bytes,
    `${where} of ${bytes} bytes does not fit at its location, which has ${room.bytes}`,
  );
  const aligned = space === 'variable' || placement.location.offset % elementBytes[placement.dtype] === 0;
  check(aligned, `${where}.location is not aligned`);
}

/** Bytes from a location to the end of its space. */
function roomAt(m: PlanManifest, location: Location, where: string): Room {
  check(isRecord(location), `${where} is not a record`);
  switch (location.space) {
    case 'arena':
    case 'constant': {
      const bytes = location.space === 'arena' ? m.arenaBytes : m.constantBytes;
      checkCount(location.offset, `${where}.offset`);
      check(location.offset <= bytes, `${where}.offset ${location.offset} is behind the end, ${bytes}`);
      return { bytes: bytes - location.offset, writable: location.space === 'arena' };
    }
    case 'variable': {
      const variable = itemAt(m.variables, location.variable);
      check(
        variable !== undefined,
        `${where} names variable ${String(location.variable)} of ${m.variables.length}`,
      );
      const bank: unknown = location.bank;
      check(bank === 'current' || bank === 'next', `${where}.bank is unknown`);
      check(
        bank === 'current' || variable.updated,
        `${where} is the next bank of a variable that is not updated`,
      );
      return { bytes: tensorBytes(variable), writable: bank === 'next' };
    }
    case 'flags':
      return { bytes: 4 * (m.sites.length + 1), writable: true };
    default:
      throw new Malformed(`${where}.space is unknown`);
  }
}

function checkWork(work: PlanWork, where: string): void {
  check(isRecord(work), `${where} is not a record`);
  for (const key of ['flops', 'bytes'] as const) {
    check(Number.isFinite(work[key]) && work[key] >= 0, `${where}.${key} is not a number of at least 0`);
  }
  check(typeof work.schedule === 'string', `${where}.schedule is not a string`);
}

function checkLoops(m: PlanManifest): void {
  const { loops = [] } = m;
  check(Array.isArray(loops), 'loops is not a list');
  let end = 0;
  loops.forEach((loop, i) => {
    const where = `loops[${i}]`;
    check(isRecord(loop) && typeof loop.label === 'string', `${where} has no label`);
    checkCount(loop.begin, `${where}.begin`);
    checkCount(loop.end, `${where}.end`);
    checkCount(loop.length, `${where}.length`);
    check(
      loop.begin >= end && loop.begin < loop.end && loop.end <= m.steps.length && loop.length >= 1,
      `${where} is steps [${loop.begin}, ${loop.end}) of ${m.steps.length}, ${loop.length} times, after step ${end}`,
    );
    end = loop.end;
  });
  const calls = callsOf(m);
  check(calls <= mostCalls, `its loops make ${calls} calls, more than ${mostCalls}`);
}

/** Bytes from a location to the end of its space, for an argument that moves. */
function roomAround(
  room: Room,
  location: Location,
  move: PlanMove | null,
  length: number,
  where: string,
): Room {
  if (move === null) return room;
  check(isRecord(move) && Number.isSafeInteger(move.stride), `${where} has no stride`);
  if (move.period !== undefined) checkCount(move.period, `${where}.period`);
  check(move.period === undefined || move.period >= 1, `${where}.period is 0`);
  check(location.space === 'arena' || location.space === 'constant', `${where} is of a place that stays`);
  const { least, most } = reachOf(move, length);
  const { offset } = location as { readonly offset: number };
  check(
    offset + least >= 0,
    `${where} leads ${-(offset + least)} bytes before the begin of the ${location.space}`,
  );
  check(most <= room.bytes, `${where} leads behind the end of the ${location.space}`);
  return { ...room, bytes: room.bytes - most };
}

function checkSteps(m: PlanManifest): void {
  m.sites.forEach((site, i) => {
    check(isRecord(site), `sites[${i}] is not a record`);
    const kind: unknown = site.kind;
    check(kind === 'index' || kind === 'finite', `sites[${i}].kind is unknown`);
    check(typeof site.label === 'string', `sites[${i}].label is not a string`);
    check(site.loc === null || typeof site.loc === 'string', `sites[${i}].loc is not a string or null`);
    checkCount(site.size, `sites[${i}].size`);
  });
  m.kernels.forEach((kernel, i) => {
    check(isRecord(kernel) && typeof kernel.name === 'string', `kernels[${i}] has no name`);
    check(Array.isArray(kernel.params), `kernels[${i}].params is not a list`);
    kernel.params.forEach((param, p) => {
      const where = `kernels[${i}].params[${p}]`;
      check(isRecord(param), `${where} is not a record`);
      check(param.access === 'read' || param.access === 'write', `${where}.access is unknown`);
      checkCount(param.bytes, `${where}.bytes`);
    });
    if (kernel.work !== undefined) checkWork(kernel.work, `kernels[${i}].work`);
  });
  checkUnique(m.kernels, 'kernels');
  const loopOf = loopOfSteps(m);
  m.steps.forEach((step, i) => {
    const where = `steps[${i}]`;
    check(isRecord(step) && typeof step.label === 'string', `${where} has no label`);
    const kernel = itemAt(m.kernels, step.kernel);
    check(kernel !== undefined, `${where} names kernel ${String(step.kernel)} of ${m.kernels.length}`);
    checkCount(step.units, `${where}.units`);
    check(Array.isArray(step.args), `${where}.args is not a list`);
    check(
      step.args.length === kernel.params.length,
      `${where} has ${step.args.length} args, kernel '${kernel.name}' has ${kernel.params.length} parameters`,
    );
    // Each unit stores elements that no other unit does: more units would make a kernel's loop run for long, and beyond.
    const written = kernel.params.reduce((sum, p) => sum + (p.access === 'write' ? p.bytes : 0), 0);
    check(
      step.units <= Math.max(1, written) && step.units <= 0x7fffffff,
      `${where} has ${step.units} units, kernel '${kernel.name}' writes ${written} bytes`,
    );
    const { units } = kernel;
    check(
      units === undefined || units === step.units,
      `${where} has ${step.units} units, kernel '${kernel.name}' has ${String(units)}`,
    );
    const { moves } = step;
    check(
      moves === undefined ||
        (loopOf[i] !== null && Array.isArray(moves) && moves.length === step.args.length),
      `${where}.moves is not a list with an item for each argument of a step in a loop`,
    );
    step.args.forEach((location, a) => {
      const whole = roomAt(m, location, `${where}.args[${a}]`);
      const move = moves?.[a] ?? null;
      const room = roomAround(whole, location, move, loopOf[i]?.length ?? 1, `${where}.moves[${a}]`);
      const param = kernel.params[a]!;
      check(
        param.bytes <= room.bytes,
        `${where}.args[${a}]: kernel '${kernel.name}' may touch ${param.bytes} bytes, there are ${room.bytes}`,
      );
      check(
        param.access === 'read' || room.writable,
        `${where}.args[${a}]: kernel '${kernel.name}' writes to what a run may only read`,
      );
    });
  });
}
