// Plans written by hand, small enough to check on paper, in JavaScript and in WebAssembly text.

import wabt from 'wabt';
import {
  type Location,
  type Plan,
  type PlanManifest,
  type PlanStep,
  planFormat,
} from '../../runtime/plan.ts';

/** Parts of a manifest to be other than usual. */
type More = Omit<Partial<PlanManifest>, 'kernels' | 'steps'>;

export type TargetName = 'js' | 'wasm';

export interface HandKernel {
  readonly name: string;
  readonly params: PlanManifest['kernels'][number]['params'];
  /** Body of `(begin, end, args) => { … }`; sees f32, u32, i32, u8: all of memory. */
  readonly js: string;
  /** Body of the function; sees $begin, $end, $args and the locals $i, $j, $k (i32), $x (f32). */
  readonly wat?: string;
}

export interface HandPlan extends More {
  readonly kernels: readonly HandKernel[];
  readonly steps: readonly PlanStep[];
  readonly constants?: Uint8Array;
}

/** A plan with schedules for 1 to 4 workers that pass a barrier after each step. */
export async function makePlan(target: TargetName, hand: HandPlan): Promise<Plan> {
  const { kernels, steps, constants = new Uint8Array(0), ...rest } = hand;
  const manifest: PlanManifest = {
    format: planFormat,
    entry: 'train',
    target,
    features: [],
    arenaBytes: 0,
    constantBytes: constants.length,
    inputs: [],
    outputs: [],
    variables: [],
    sites: [],
    buffers: [],
    ...rest,
    kernels: kernels.map(({ name, params }) => ({ name, params })),
    steps,
    schedules: [1, 2, 3, 4].map((workers) => ({
      workers,
      lists: Array.from({ length: workers }, (_, worker) =>
        steps.flatMap((step, s) => [
          {
            do: 'run' as const,
            step: s,
            begin: Math.floor((step.units * worker) / workers),
            end: Math.floor((step.units * (worker + 1)) / workers),
          },
          { do: 'barrier' as const },
        ]),
      ),
    })),
  };
  return { manifest, constants, code: target === 'js' ? toJs(kernels) : await toWasm(kernels) };
}

/** The same plan, where each worker waits for each other one instead of all meeting. */
export function waitingSingly(plan: Plan): Plan {
  const schedules = plan.manifest.schedules.map(({ workers, lists }) => ({
    workers,
    lists: lists.map((list, worker) =>
      list.map((item) =>
        item.do === 'barrier'
          ? { ...item, after: Array.from({ length: workers }, (_, w) => w).filter((w) => w !== worker) }
          : item,
      ),
    ),
  }));
  return { ...plan, manifest: { ...plan.manifest, schedules } };
}

/** Views are made once, as a careful printer would not do it: they are stale when memory grows. */
function toJs(kernels: readonly HandKernel[]): Uint8Array {
  const functions = kernels.map(({ name, js }) => `${name}(begin, end, args) {\n${js}\n}`);
  return new TextEncoder().encode(
    `const f32 = new Float32Array(memory.buffer), u32 = new Uint32Array(memory.buffer);
const i32 = new Int32Array(memory.buffer), u8 = new Uint8Array(memory.buffer);
return { ${functions.join(',\n')} };`,
  );
}

async function toWasm(kernels: readonly HandKernel[]): Promise<Uint8Array> {
  const functions = kernels.map(
    ({ name, wat }) => `(func (export "${name}") (param $begin i32) (param $end i32) (param $args i32)
      (local $i i32) (local $j i32) (local $k i32) (local $x f32)
      ${wat ?? 'unreachable'})`,
  );
  const text = `(module (import "env" "memory" (memory 1 65536)) ${functions.join('\n')})`;
  const module = (await wabt()).parseWat('plan.wat', text);
  return module.toBinary({}).buffer;
}

export const arena = (offset: number): Location => ({ space: 'arena', offset });
export const constant = (offset: number): Location => ({ space: 'constant', offset });
export const flags: Location = { space: 'flags' };
export const variable = (index: number, bank: 'current' | 'next'): Location => ({
  space: 'variable',
  variable: index,
  bank,
});

/** Elements of the vectors below, and units that they are cut into. */
export const elements = 64;
export const units = 8;
const perUnit = elements / units;
const bytes = elements * 4;

/**
 * A training step with two barriers that matter:
 *
 *     product = x · w          8 units
 *     total   = Σ product      1 unit, in order
 *     w'      = w + total      8 units
 *
 * Outputs: total, and w'. Variables: w, and `bias`, which is only there.
 */
export function trainPlan(target: TargetName, more: More = {}): Promise<Plan> {
  return makePlan(target, {
    arenaBytes: 2 * bytes + 64,
    inputs: [{ name: 'x', dtype: 'f32', shape: [elements], order: [0], location: arena(0) }],
    outputs: [
      { name: 'total', dtype: 'f32', shape: [], order: [], location: arena(2 * bytes) },
      { name: 'updated', dtype: 'f32', shape: [elements], order: [0], location: variable(0, 'next') },
    ],
    variables: [
      { name: 'w', dtype: 'f32', shape: [elements], order: [0], trainable: true, updated: true },
      { name: 'bias', dtype: 'f32', shape: [2, 3], order: [1, 0], trainable: true, updated: false },
    ],
    kernels: [productKernel, totalKernel, updateKernel],
    steps: [
      { label: 'dense/product', kernel: 0, units, args: [arena(0), variable(0, 'current'), arena(bytes)] },
      { label: 'dense/total', kernel: 1, units: 1, args: [arena(bytes), arena(2 * bytes)] },
      {
        label: 'sgd/update',
        kernel: 2,
        units,
        args: [variable(0, 'current'), arena(2 * bytes), variable(0, 'next')],
      },
    ],
    ...more,
  });
}

/** What a train step computes, in f32: [total, w']. */
export function trainStep(x: Float32Array, w: Float32Array): [number, Float32Array] {
  let total = 0;
  x.forEach((value, i) => {
    total = Math.fround(total + Math.fround(value * w[i]!));
  });
  return [total, w.map((value) => value + total)];
}

const read = (size: number) => ({ access: 'read', bytes: size }) as const;
const write = (size: number) => ({ access: 'write', bytes: size }) as const;

const elementLoop = (body: string) => `
  (local.set $i (i32.mul (local.get $begin) (i32.const ${perUnit})))
  (block $done (loop $next
    (br_if $done (i32.ge_u (local.get $i) (i32.mul (local.get $end) (i32.const ${perUnit}))))
    (local.set $j (i32.shl (local.get $i) (i32.const 2)))
    ${body}
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br $next)))`;
const address = (param: number) =>
  `(i32.add (i32.load offset=${4 * param} (local.get $args)) (local.get $j))`;

const productKernel: HandKernel = {
  name: 'product',
  params: [read(bytes), read(bytes), write(bytes)],
  js: `const x = u32[args / 4] / 4, w = u32[args / 4 + 1] / 4, y = u32[args / 4 + 2] / 4;
for (let i = begin * ${perUnit}; i < end * ${perUnit}; i++) f32[y + i] = f32[x + i] * f32[w + i];`,
  wat: elementLoop(`(f32.store ${address(2)} (f32.mul (f32.load ${address(0)}) (f32.load ${address(1)})))`),
};

const totalKernel: HandKernel = {
  name: 'total',
  params: [read(bytes), write(4)],
  js: `const x = u32[args / 4] / 4, y = u32[args / 4 + 1] / 4;
let total = 0;
if (begin < end) { for (let i = 0; i < ${elements}; i++) total = Math.fround(total + f32[x + i]); f32[y] = total; }`,
  wat: `
  (if (i32.lt_u (local.get $begin) (local.get $end)) (then
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $j) (i32.const ${bytes})))
      (local.set $x (f32.add (local.get $x) (f32.load ${address(0)})))
      (local.set $j (i32.add (local.get $j) (i32.const 4)))
      (br $next)))
    (f32.store (i32.load offset=4 (local.get $args)) (local.get $x))))`,
};

const updateKernel: HandKernel = {
  name: 'update',
  params: [read(bytes), read(4), write(bytes)],
  js: `const w = u32[args / 4] / 4, t = u32[args / 4 + 1] / 4, y = u32[args / 4 + 2] / 4;
for (let i = begin * ${perUnit}; i < end * ${perUnit}; i++) f32[y + i] = f32[w + i] + f32[t];`,
  wat: elementLoop(
    `(f32.store ${address(2)} (f32.add (f32.load ${address(0)}) (f32.load (i32.load offset=4 (local.get $args)))))`,
  ),
};

/** A plan of one JavaScript kernel, called with 4 units, that may do anything. Its argument is `w`, next bank. */
export function wildPlan(js: string, more: More = {}): Promise<Plan> {
  return makePlan('js', {
    entry: 'wild',
    arenaBytes: 64,
    variables: [{ name: 'w', dtype: 'f32', shape: [elements], order: [0], trainable: true, updated: true }],
    kernels: [{ name: 'wild', params: [write(bytes), write(8)], js }],
    steps: [
      { label: 'before', kernel: 0, units: 4, args: [variable(0, 'next'), flags] },
      { label: 'block/wild', kernel: 0, units: 4, args: [variable(0, 'next'), flags] },
      { label: 'after', kernel: 0, units: 4, args: [variable(0, 'next'), flags] },
    ],
    sites: [{ kind: 'finite', label: 'block/wild (f32[4])', loc: null, size: 0 }],
    ...more,
  });
}
