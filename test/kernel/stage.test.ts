// Sums that wait in a stage for what is made of them: the same bits as below the tiles, for any rows, columns and units; and
// only where several values are read or written beside them.

import t from 'tap';
import { flatIndex, type KernelDefinition, VarSource } from '../../compiler/kernel/definition.ts';
import { binary, constant, type Expr, reduce } from '../../compiler/kernel/expr.ts';
import { interpretKernel } from '../../compiler/kernel/interpret.ts';
import type { Kernel, Stmt, Target } from '../../compiler/kernel/ir.ts';
import { type Bound, prepareContraction, scheduleKernel } from '../../compiler/kernel/schedule/index.ts';
import { verifyKernel } from '../../compiler/kernel/verify.ts';
import { examineKernel } from '../../compiler/schedule/check-kernel.ts';
import { jsTarget, wasmRelaxed, wasmSimd } from '../../compiler/target/targets.ts';
import { seededRandom } from '../support/random.ts';
import { load, param } from '../support/run-kernel.ts';

/** g = xᵀ · y; next m = 0.9 m + g; next w = w − 0.1 next m. Or, with fewer streams, next m alone. */
function update(k: number, rows: number, columns: number, hasWeights = true): KernelDefinition {
  const vars = new VarSource();
  const [i, j, r] = [vars.make('i', rows), vars.make('j', columns), vars.make('k', k)];
  const at = flatIndex([i, j]);
  const sum = reduce(
    'sum',
    [r],
    binary('mul', load('f32', 0, flatIndex([r, i])), load('f32', 1, flatIndex([r, j]))),
  );
  const scaled = (c: number, x: Expr): Expr => binary('mul', constant('f32', c), x);
  const momentum = binary('add', scaled(0.9, load('f32', 2, at)), sum);
  const weights = binary('sub', load('f32', 3, at), scaled(0.1, momentum));
  return {
    name: 'update',
    params: [
      param('x', 'f32', k * rows, 'read'),
      param('y', 'f32', k * columns, 'read'),
      param('m', 'f32', rows * columns, 'read'),
      param('w', 'f32', rows * columns, 'read'),
      param('next m', 'f32', rows * columns, 'write'),
      param('next w', 'f32', rows * columns, 'write'),
    ],
    flags: null,
    space: [i, j],
    stores: [
      { param: 4, index: at, value: momentum },
      ...(hasWeights ? [{ param: 5, index: at, value: weights }] : []),
    ],
    vars,
  };
}

/** What some definitions in a row compute from random numbers, and the kernel of the last one. */
function run(
  { params }: KernelDefinition,
  target: Target,
  parts: readonly Bound<number>[],
  temporaries: readonly number[],
): { readonly memory: Float32Array[]; readonly last: Kernel } {
  const random = seededRandom(3);
  const memory = params.map((p) =>
    p.access === 'write'
      ? new Float32Array(p.elements).fill(Number.NaN)
      : Float32Array.from({ length: p.elements }, () => random.uniform(-1, 1)),
  );
  for (const elements of temporaries) memory.push(new Float32Array(elements).fill(Number.NaN));
  const kernels = parts.map(({ def, args }) => {
    const kernel = scheduleKernel(def, target);
    verifyKernel(kernel);
    const buffers = args.map((a) => memory[a]!);
    // Units in any order: none needs what another one left in the stage.
    for (let u = kernel.unit.extent - 1; u >= 0; u--) interpretKernel(kernel, buffers, u, u + 1);
    return kernel;
  });
  return { memory: memory.slice(0, params.length), last: kernels.at(-1)! };
}

const bound = (def: KernelDefinition): Bound<number> => ({ def, args: def.params.map((_, i) => i) });

function staged(make: () => KernelDefinition, target: Target): ReturnType<typeof run> {
  const def = make();
  const temporaries: number[] = [];
  const parts = prepareContraction(
    bound(def),
    target,
    (_, elements) => def.params.length + temporaries.push(elements) - 1,
  );
  return run(def, target, parts, temporaries);
}

const isStaged = (kernel: Kernel): boolean => kernel.schedule.includes('staged');

t.test('the bits are those of what is made below each tile', async (t) => {
  const sizes = [
    [4, 512, 80],
    [3, 811, 61],
    [2, 7, 6000],
    [2, 1300, 32],
    [6, 230, 200],
  ] as const;
  let stages = 0;
  for (const target of [wasmSimd, wasmRelaxed]) {
    for (const [k, rows, columns] of sizes) {
      const make = (): KernelDefinition => update(k, rows, columns);
      const below = run(make(), target, [bound(make())], []);
      const found = staged(make, target);
      t.notOk(isStaged(below.last));
      if (isStaged(found.last)) stages++;
      found.memory.forEach((data, p) => {
        const other = below.memory[p]!;
        const differs = data.findIndex((v, i) => !Object.is(v, other[i]));
        t.equal(differs, -1, `${target.name}, ${k} × ${rows} × ${columns}, parameter ${p}`);
      });
    }
  }
  t.ok(stages >= 8, `${stages} were staged`);
});

t.test('a stage has a place for a stripe of rows of each unit, and no more', async (t) => {
  const temporaries: number[] = [];
  const def = update(64, 700, 64);
  const parts = prepareContraction(bound(def), wasmRelaxed, (_, elements) => temporaries.push(elements) + 5);
  const kernel = scheduleKernel(parts.at(-1)!.def, wasmRelaxed);
  t.equal(temporaries.at(-1), kernel.unit.extent * kernel.tile![0] * 64);
});

/** The kernel with the body of its innermost loop around both stores and loads of the stage changed. */
function changeStripes(kernel: Kernel, change: (body: readonly Stmt[]) => readonly Stmt[]): Kernel {
  const holds = (s: Stmt, kind: 'tiles' | 'update'): boolean =>
    s.kind === 'for'
      ? s.body.some((b) => holds(b, kind))
      : s.kind === 'store' && s.param < 6 === (kind === 'update');
  const inside = (body: readonly Stmt[]): readonly Stmt[] => {
    const both = body.some((s) => holds(s, 'tiles')) && body.some((s) => holds(s, 'update'));
    const isStripe = both && !body.some((s) => holds(s, 'tiles') && holds(s, 'update'));
    if (isStripe) return change(body);
    return body.map((s): Stmt => {
      if (s.kind === 'for') return { ...s, body: inside(s.body) };
      return s.kind === 'if' ? { ...s, body: inside(s.body), otherwise: inside(s.otherwise) } : s;
    });
  };
  return { ...kernel, body: inside(kernel.body) };
}

t.test(
  'the checker proves that units read what they have written, and finds those that do not',
  async (t) => {
    // So large that elements are not looked at one by one.
    for (const rows of [600, 256]) {
      const def = update(64, rows, 200);
      const parts = prepareContraction(bound(def), wasmRelaxed, () => 6);
      const kernel = scheduleKernel(parts.at(-1)!.def, wasmRelaxed);
      t.ok(isStaged(kernel));
      t.equal(examineKernel(kernel).problem, null, `${rows} rows`);
      const notProved = /\(stage\)' only what they have written could not be proved/;
      const backwards = changeStripes(kernel, (body) => body.toReversed());
      t.match(examineKernel(backwards).problem, notProved, 'the update before the sums');
      const less = changeStripes(kernel, (body) => body.slice(1));
      t.match(examineKernel(less).problem, notProved, 'sums of some columns are missing');
    }
  },
);

t.test('few values beside the sums, few columns, or no lanes: below the tiles', async (t) => {
  const below = (name: string, make: () => KernelDefinition, target: Target): void => {
    t.notOk(isStaged(staged(make, target).last), name);
  };
  below('one value read and one written', () => update(4, 600, 120, false), wasmSimd);
  below('24 columns', () => update(4, 2000, 24), wasmSimd);
  below('what stays near', () => update(4, 64, 48), wasmSimd);
  below('one lane', () => update(2, 600, 120), jsTarget);
});
