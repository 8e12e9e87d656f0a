// Is a plan well-formed? Plans come from files too, so nothing is taken for granted: types, ranges, that every address
// a kernel gets leaves room for what it may touch, that committed state is only read, that every schedule does each
// unit exactly once. What a kernel computes cannot be checked: WebAssembly confines it to the executor's memory; a plan
// of the `js` target is a program, to be loaded only from where programs are loaded from.

import { runtimeError } from './errors.ts';
import {
  type Location,
  type Plan,
  type PlanManifest,
  type PlanPlacement,
  type PlanSchedule,
  type PlanTensor,
  type PlanWork,
  planFormat,
} from './plan.ts';
import { elementBytes, tensorBytes } from './tensor.ts';
import { readModule } from './wasm-module.ts';

/** Kernels have this type in WebAssembly: `(begin, end, args)`. */
const kernelSignature = '(i32, i32, i32) -> ()';

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

class Malformed extends Error {}

function check(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new Malformed(reason);
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
  checkSteps(m);
  check(m.schedules.length > 0, 'it has no schedule');
  m.schedules.forEach((schedule, i) => {
    checkSchedule(m, schedule, `schedules[${i}]`);
  });
  checkBuffers(m);
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
  m.steps.forEach((step, i) => {
    const where = `steps[${i}]`;
    check(isRecord(step) && typeof step.label === 'string', `${where} has no label`);
    const kernel = itemAt(m.kernels, step.kernel);
    check(kernel !== undefined, `${where} names kernel ${String(step.kernel)} of ${m.kernels.length}`);
    checkCount(step.units, `${where}.units`);
    check(step.units <= 0x7fffffff, `${where}.units is too large`);
    check(Array.isArray(step.args), `${where}.args is not a list`);
    check(
      step.args.length === kernel.params.length,
      `${where} has ${step.args.length} args, kernel '${kernel.name}' has ${kernel.params.length} parameters`,
    );
    step.args.forEach((location, a) => {
      const room = roomAt(m, location, `${where}.args[${a}]`);
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

function checkSchedule(m: PlanManifest, schedule: PlanSchedule, where: string): void {
  check(isRecord(schedule) && Array.isArray(schedule.lists), `${where}.lists is not a list`);
  checkCount(schedule.workers, `${where}.workers`);
  check(
    schedule.workers >= 1 && schedule.lists.length === schedule.workers,
    `${where} has ${schedule.lists.length} lists for ${schedule.workers} workers`,
  );
  const ranges: [number, number][][] = m.steps.map(() => []);
  const barriers = schedule.lists.map((list, worker) => {
    check(Array.isArray(list), `${where}.lists[${worker}] is not a list`);
    let count = 0;
    for (const item of list) {
      check(isRecord(item), `${where}.lists[${worker}] holds something else than items`);
      if (item.do === 'barrier') {
        count++;
        continue;
      }
      check(item.do === 'run', `${where}.lists[${worker}] holds an item that is neither run nor barrier`);
      const step = itemAt(m.steps, item.step);
      check(
        step !== undefined,
        `${where}.lists[${worker}] names step ${String(item.step)} of ${m.steps.length}`,
      );
      checkCount(item.begin, `begin of a range in ${where}.lists[${worker}]`);
      checkCount(item.end, `end of a range in ${where}.lists[${worker}]`);
      check(
        item.begin <= item.end && item.end <= step.units,
        `${where}.lists[${worker}] runs units [${item.begin}, ${item.end}) of step ${item.step}, which has ${step.units}`,
      );
      if (item.begin < item.end) ranges[item.step]!.push([item.begin, item.end]);
    }
    return count;
  });
  check(
    barriers.every((count) => count === barriers[0]),
    `${where}: workers pass different numbers of barriers (${barriers.join(', ')})`,
  );
  ranges.forEach((list, step) => {
    list.sort((a, b) => a[0] - b[0]);
    let done = 0;
    for (const [begin, end] of list) {
      check(
        begin === done,
        `${where}: unit ${Math.min(begin, done)} of step ${step} runs ${begin < done ? 'twice' : 'never'}`,
      );
      done = end;
    }
    check(done === m.steps[step]!.units, `${where}: unit ${done} of step ${step} runs never`);
  });
}

function checkBuffers(m: PlanManifest): void {
  m.buffers.forEach((buffer, i) => {
    check(isRecord(buffer) && typeof buffer.name === 'string', `buffers[${i}] has no name`);
    checkCount(buffer.offset, `buffers[${i}].offset`);
    checkCount(buffer.bytes, `buffers[${i}].bytes`);
    check(buffer.offset + buffer.bytes <= m.arenaBytes, `buffers[${i}] is not inside the arena`);
    check(Number.isInteger(buffer.from) && Number.isInteger(buffer.to), `buffers[${i}] has no lifetime`);
  });
}

function checkModule(m: PlanManifest, code: Uint8Array): void {
  let header: ReturnType<typeof readModule>;
  try {
    header = readModule(code);
  } catch (error) {
    throw new Malformed((error as Error).message);
  }
  for (const { module, name, kind } of header.imports) {
    check(
      module === 'env' && name === 'memory' && kind === 'memory',
      `its code imports ${kind} '${module}.${name}', only memory 'env.memory' is there`,
    );
  }
  check(header.imports.length <= 1, 'its code imports memory more than once');
  check(header.memory === null || header.memory.hasMaximum, 'its memory import has no maximum');
  check(!header.hasStart, 'its code has a start function');
  const exported = new Map(header.exports.map((e) => [e.name, e]));
  for (const { name } of m.kernels) {
    const found = exported.get(name);
    check(found?.kind === 'func', `its code does not export kernel '${name}'`);
    check(
      found.signature === kernelSignature,
      `kernel '${name}' has type ${found.signature}, kernels have ${kernelSignature}`,
    );
  }
}

/** Only integers count: `list['__proto__']` is there too. */
function itemAt<T>(list: readonly T[], index: number): T | undefined {
  return Number.isInteger(index) ? list[index] : undefined;
}

/** An integer in [0, 4 GiB]. */
function checkCount(value: unknown, where: string): void {
  const isCount = Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 2 ** 32;
  check(isCount, `${where} is ${String(value)}, expected an integer in [0, 2^32]`);
}

function checkUnique(list: readonly { readonly name: string }[], where: string): void {
  const seen = new Set<string>();
  for (const { name } of list) {
    check(!seen.has(name), `${where} names '${name}' twice`);
    seen.add(name);
  }
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
