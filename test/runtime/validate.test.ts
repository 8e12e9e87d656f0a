// Each rule of a well-formed plan, broken once.

import t from 'tap';
import type { Plan, PlanManifest, ScheduleItem } from '../../runtime/plan.ts';
import { validatePlan } from '../../runtime/validate.ts';
import { elements, makePlan, trainPlan } from './plans.ts';

type Draft = { -readonly [K in keyof PlanManifest]: PlanManifest[K] };

const js = await trainPlan('js');
const wasm = await trainPlan('wasm');
const bytes = elements * 4;

t.test('well-formed plans pass', async (t) => {
  t.doesNotThrow(() => validatePlan(js));
  t.doesNotThrow(() => validatePlan(wasm));
  t.doesNotThrow(() => validatePlan(JSON.parse(JSON.stringify(js.manifest)) && js));
});

t.test('the error names the plan, the rule and what to do', async (t) => {
  t.throws(() => validatePlan({ ...js, manifest: { ...js.manifest, arenaBytes: 16 } }), {
    code: 'HDL1006',
    message: `HDL1006: plan 'train' cannot be loaded: inputs[0] of ${bytes} bytes does not fit at its location, which has 16
  rule: a plan is exactly what runtime/plan.ts describes
  try:  compile it again with this version`,
  });
});

/** JSON of the manifest with one value changed: [path, value, reason]. */
const changes: readonly (readonly [path: string, value: unknown, reason: RegExp])[] = [
  ['format', 2, /it has format 2/],
  ['entry', 3, /entry is not a string/],
  ['target', 'x86', /target x86 is unknown/],
  ['arenaBytes', -1, /arenaBytes is -1, expected an integer/],
  ['arenaBytes', 2 ** 33, /arenaBytes is 8589934592/],
  ['arenaBytes', 1.5, /arenaBytes is 1.5/],
  ['arenaBytes', '640', /arenaBytes is 640/],
  ['constantBytes', 8, /constants have 0 bytes, the manifest says 8/],
  ['inputs', {}, /inputs is not a list/],
  ['features', [1], /features\[0\] is not a string/],
  ['inputs.0.dtype', 'f64', /inputs\[0\].dtype is unknown/],
  ['inputs.0.dtype', 'toString', /inputs\[0\].dtype is unknown/],
  ['inputs.0.shape', [8, -8], /inputs\[0\].shape\[1\] is -8/],
  ['inputs.0.shape', [2 ** 20, 2 ** 20], /bytes of inputs\[0\] is/],
  ['inputs.0.order', [1], /inputs\[0\].order does not name each dimension once/],
  ['inputs.0.location.offset', 400, /inputs\[0\] of 256 bytes does not fit at its location, which has 176/],
  ['inputs.0.location.offset', 2, /inputs\[0\].location is not aligned/],
  ['inputs.0.location.space', 'constant', /inputs\[0\] of 256 bytes does not fit|not in the arena/],
  ['outputs.0.location', { space: 'flags' }, /outputs\[0\].location is in the flags/],
  ['outputs.0.location', { space: 'heap' }, /outputs\[0\].location.space is unknown/],
  ['outputs.0.location', null, /outputs\[0\].location is not a record/],
  ['kernels.0.work', 3, /kernels\[0\].work is not a record/],
  ['kernels.0.work', { flops: -1, bytes: 0, schedule: '' }, /kernels\[0\].work.flops is not a number/],
  ['kernels.0.work', { flops: 0, bytes: '8', schedule: '' }, /kernels\[0\].work.bytes is not a number/],
  ['kernels.0.work', { flops: 0, bytes: 0 }, /kernels\[0\].work.schedule is not a string/],
  ['outputs.1.name', 'total', /outputs names 'total' twice/],
  ['variables.1.name', 'w', /variables names 'w' twice/],
  ['variables.0.updated', false, /outputs\[1\].location is the next bank of a variable that is not updated/],
  ['variables.0.updated', 1, /variables\[0\].updated is not a boolean/],
  [
    'variables.0.shape',
    [elements - 1],
    /outputs\[1\] of 256 bytes does not fit at its location, which has 252/,
  ],
  ['outputs.1.location.variable', 2, /outputs\[1\].location names variable 2 of 2/],
  ['outputs.1.location.variable', '__proto__', /names variable __proto__ of 2/],
  ['outputs.1.location.bank', 'last', /bank is unknown/],
  [
    'kernels.0.params.0.bytes',
    bytes * 4,
    /steps\[0\].args\[0\]: kernel 'product' may touch 1024 bytes, there are 576/,
  ],
  ['kernels.0.params.0.access', 'execute', /kernels\[0\].params\[0\].access is unknown/],
  [
    'kernels.0.params.1.access',
    'write',
    /steps\[0\].args\[1\]: kernel 'product' writes to what a run may only read/,
  ],
  ['kernels.1.name', 'product', /kernels names 'product' twice/],
  ['steps.0.kernel', 3, /steps\[0\] names kernel 3 of 3/],
  ['steps.0.kernel', 0.5, /steps\[0\] names kernel 0.5 of 3/],
  ['steps.0.args', [], /steps\[0\] has 0 args, kernel 'product' has 3 parameters/],
  ['steps.0.units', 9, /schedules\[0\]: unit 8 of step 0 runs never/],
  ['steps.0.units', 7, /runs units \[0, 8\) of step 0, which has 7/],
  ['schedules', [], /it has no schedule/],
  ['schedules.1.workers', 3, /schedules\[1\] has 2 lists for 3 workers/],
  ['schedules.1.lists.0', [], /schedules\[1\]: workers pass different numbers of barriers \(0, 3\)/],
  ['schedules.1.lists.0.0.do', 'skip', /an item that is neither run, repeat nor barrier/],
  ['schedules.1.lists.0.0.step', 3, /names step 3 of 3/],
  ['schedules.1.lists.0.0.begin', 1, /schedules\[1\]: unit 0 of step 0 runs never/],
  ['schedules.1.lists.0.0.end', 5, /schedules\[1\]: unit 4 of step 0 runs twice/],
  ['schedules.1.lists.0.0.end', 3, /schedules\[1\]: unit 3 of step 0 runs never/],
  ['schedules.1.lists.0.0.shared', 0, /schedules\[1\]\.lists\[0\] shares units of step 0 0 at a time/],
  ['schedules.1.lists.0.0.shared', 1.5, /shared units of a range in .*lists\[0\] is 1\.5/],
  [
    'schedules.1.lists.0.1',
    { do: 'barrier', after: [1] },
    /of barrier 0, workers 0 and 1 disagree whether all wait for all/,
  ],
  ['schedules.1.lists.0.1', { do: 'barrier', after: [0] }, /lists\[0\] waits for worker 0 of 2/],
  ['schedules.1.lists.0.1', { do: 'barrier', after: [2] }, /lists\[0\] waits for worker 2 of 2/],
  ['schedules.1.lists.0.1', { do: 'barrier', after: [0.5] }, /lists\[0\] waits for worker 0\.5 of 2/],
  ['schedules.1.lists.0.1', { do: 'barrier', after: [1, 1] }, /lists\[0\] waits for worker 1 twice/],
  ['schedules.1.lists.0.1', { do: 'barrier', after: 1 }, /lists\[0\] has a barrier after what is not a list/],
  ['sites', [{ kind: 'nan', label: '', loc: null, size: 0 }], /sites\[0\].kind is unknown/],
  [
    'buffers',
    [{ name: 'a', offset: 500, bytes: 200, from: 0, to: 1 }],
    /buffers\[0\] is not inside the arena/,
  ],
];

for (const [path, value, reason] of changes) {
  t.test(`${path} = ${JSON.stringify(value)}`, async (t) => {
    const manifest = JSON.parse(JSON.stringify(js.manifest)) as Draft;
    const keys = path.split('.');
    const last = keys.pop()!;
    let at = manifest as unknown as Record<string, unknown>;
    for (const key of keys) at = at[key] as Record<string, unknown>;
    at[last] = value;
    t.throws(() => validatePlan({ ...js, manifest }), { code: 'HDL1006', message: reason });
  });
}

t.test('what is no plan at all', async (t) => {
  for (const plan of [
    null,
    undefined,
    3,
    {},
    { manifest: null },
    { manifest: {} },
    { ...js, code: 'text' },
  ]) {
    t.throws(() => validatePlan(plan as unknown as Plan), { code: 'HDL1006' });
  }
});

t.test('a unit that two workers run is found', async (t) => {
  const run = (begin: number, end: number): ScheduleItem => ({ do: 'run', step: 0, begin, end });
  const manifest = { ...js.manifest, steps: [js.manifest.steps[0]!] };
  const check =
    (...lists: ScheduleItem[][]) =>
    () =>
      validatePlan({ ...js, manifest: { ...manifest, schedules: [{ workers: lists.length, lists }] } });
  t.doesNotThrow(check([run(4, 8), run(0, 1)], [run(1, 4), run(3, 3)]));
  t.throws(check([run(0, 8)], [run(7, 8)]), /unit 7 of step 0 runs twice/);
});

t.test('modules import memory alone, and export kernels of the right type', async (t) => {
  const plan = (code: Uint8Array): Plan => ({ ...wasm, code });
  const kernels = ['product', 'total', 'update'].map((name) => ({ name, params: [], js: '' }));
  t.doesNotThrow(() => validatePlan(plan(wasm.code)));
  t.throws(
    () => validatePlan(plan(new Uint8Array([1, 2, 3, 4]))),
    /code does not start as a WebAssembly module/,
  );
  t.throws(() => validatePlan(plan(wasm.code.slice(0, 100))), /longer than the code|ends in the middle/);
  const missing = await makePlan('wasm', { kernels: kernels.slice(0, 2), steps: [] });
  t.throws(() => validatePlan(plan(missing.code)), /its code does not export kernel 'update'/);

  const wabt = await (await import('wabt')).default();
  const module = (text: string) => plan(wabt.parseWat('t.wat', `(module ${text})`).toBinary({}).buffer);
  t.throws(() => validatePlan(module('(import "env" "log" (func))')), /its code imports func 'env.log'/);
  t.throws(() => validatePlan(module('(import "a" "memory" (memory 1 1))')), /imports memory 'a.memory'/);
  t.throws(
    () => validatePlan(module('(import "env" "memory" (memory 1))')),
    /its memory import has no maximum/,
  );
  t.throws(() => validatePlan(module('(func $f) (start $f)')), /its code has a start function/);
  t.throws(
    () => validatePlan(module('(func (export "product") (param f32))')),
    /kernel 'product' has type \(f32\) -> \(\), kernels have \(i32, i32, i32\) -> \(\)/,
  );
});
