// Given random definitions, when they are scheduled for one lane and for four, then the kernels verify, compute what the
// definitions mean, bit for bit, and their units may run in any order and in any split, each on elements of its own.

import fc from 'fast-check';
import t from 'tap';
import { addIndex, atomIndex, constIndex, scaleIndex, varIndex } from '../../compiler/kernel/affine.ts';
import { flatIndex, type KernelDefinition, VarSource } from '../../compiler/kernel/definition.ts';
import { binary, type Expr, reduce, unary } from '../../compiler/kernel/expr.ts';
import { interpretKernel, type KernelBuffer } from '../../compiler/kernel/interpret.ts';
import type { Kernel, Target } from '../../compiler/kernel/ir.ts';
import { prepareContraction, scheduleKernel } from '../../compiler/kernel/schedule/index.ts';
import { verifyKernel } from '../../compiler/kernel/verify.ts';
import { wasmRelaxed } from '../../compiler/target/targets.ts';
import { buffersFor, drawDefinition, evaluateDefinition, type Kind } from '../support/random-definition.ts';
import { load, param } from '../support/run-kernel.ts';

const seed = 20240702;
const numbers: fc.Arbitrary<number[]> = fc.array(fc.nat(10_000), { maxLength: 60, size: 'max' });

const tile = (rows: number, vectors: number) => ({ rows, vectors, cycles: Math.max(4, rows * vectors) });
const targets: readonly Target[] = (
  [
    { lanes: 4, tiles: [tile(4, 2), tile(3, 3)], unitWork: 16384 },
    { lanes: 4, tiles: [tile(4, 2)], unitWork: 40 },
    { lanes: 4, tiles: [tile(3, 1), tile(1, 2)], unitWork: 500 },
    { lanes: 1, tiles: [tile(2, 2)], unitWork: 300 },
  ] as const
).map((x, i) => ({ name: `target${i}`, features: [], ...x }));

function run(kernel: Kernel, buffers: readonly Float32Array[], cuts: readonly number[]): void {
  cuts.slice(1).forEach((end, i) => {
    interpretKernel(kernel, buffers, cuts[i]!, end);
  });
}

function expectSame(what: string, got: readonly Float32Array[], want: readonly Float32Array[]): void {
  got.forEach((data, p) => {
    data.forEach((x, i) => {
      if (x !== want[p]![i]! && !(Number.isNaN(x) && Number.isNaN(want[p]![i]!)))
        throw new Error(`${what}: parameter ${p}, element ${i} is ${x}, expected ${want[p]![i]}`);
    });
  });
}

function checkUnits(def: KernelDefinition, kernel: Kernel, want: readonly Float32Array[]): void {
  const units = kernel.unit.extent;
  // Each unit alone, on clean buffers: what it writes is right, and no other unit writes it.
  const writers = def.params.map((p) => new Int32Array(p.elements).fill(-1));
  for (let unit = 0; unit < units; unit++) {
    const buffers = buffersFor(def.params);
    interpretKernel(kernel, buffers, unit, unit + 1);
    def.params.forEach((p, k) => {
      if (p.access === 'read') return;
      buffers[k]!.forEach((x, i) => {
        if (Number.isNaN(x)) return;
        if (writers[k]![i]! >= 0)
          throw new Error(`units ${writers[k]![i]} and ${unit} write element ${i} of ${p.name}`);
        writers[k]![i] = unit;
        if (x !== want[k]![i]) throw new Error(`unit ${unit} writes ${x}, expected ${want[k]![i]}`);
      });
    });
  }
  def.params.forEach((p, k) => {
    if (p.access === 'write' && writers[k]!.includes(-1))
      throw new Error(`an element of ${p.name} is not written`);
  });
}

function checkAll(kind: Kind, list: readonly number[], schedules: Map<string, number>): void {
  const meant = drawDefinition(kind, list);
  const want = buffersFor(meant.params);
  evaluateDefinition(meant, want);
  for (const target of targets) {
    const def = drawDefinition(kind, list);
    const kernel = scheduleKernel(def, target);
    verifyKernel(kernel);
    const form = kernel.schedule
      .replaceAll(/\d+|–|[dk] |[dk]$/g, '')
      .replace(/ over.*?(, lanes|, one lane|, block|, unit|$)/, '$1');
    schedules.set(form, (schedules.get(form) ?? 0) + 1);
    const units = kernel.unit.extent;
    const buffers = buffersFor(def.params);
    run(kernel, buffers, [0, Math.floor(units / 3), Math.floor(units / 2), units]);
    expectSame(kernel.schedule, buffers, want);
    checkUnits(def, kernel, want);
  }
}

for (const [kind, numRuns] of [
  ['elementwise', 60],
  ['reduction', 60],
  ['contraction', 90],
] as const) {
  t.test(`${kind}: ${numRuns} definitions, seed ${seed}`, async (t) => {
    const schedules = new Map<string, number>();
    fc.assert(
      fc.property(numbers, (list) => checkAll(kind, list, schedules)),
      { seed, numRuns },
    );
    for (const [form, count] of schedules) t.comment(`${count} × ${form}`);
    t.pass();
  });
}

t.test(`packed and split contractions, seed ${seed}`, async (t) => {
  const kinds = fc.constantFrom('contraction', 'contraction', 'contraction', 'long contraction');
  const counts = new Map<number, number>();
  fc.assert(
    fc.property(kinds, numbers, fc.constantFrom(...targets), (kind, list, target) => {
      const def = drawDefinition(kind, list);
      const want = buffersFor(def.params);
      evaluateDefinition(def, want);
      const memory = buffersFor(def.params);
      const sizes = def.params.map((p) => p.elements);
      const whole = { def: drawDefinition(kind, list), args: def.params.map((_, i) => i) };
      const parts = prepareContraction(whole, target, (_, elements) => {
        memory.push(new Float32Array(elements).fill(Number.NaN));
        return sizes.push(elements) - 1;
      });
      counts.set(parts.length, (counts.get(parts.length) ?? 0) + 1);
      parts.forEach((part, i) => {
        part.def.params.forEach((p, k) => {
          if (p.elements !== sizes[part.args[k]!])
            throw new Error(`${p.name} of ${part.def.name} is another buffer`);
        });
        const kernel = scheduleKernel(part.def, target);
        verifyKernel(kernel);
        const buffers = part.args.map((arg) => memory[arg]!);
        interpretKernel(kernel, buffers, 0, kernel.unit.extent);
        const made = part.args.filter((_, k) => part.def.params[k]!.access === 'write');
        const later = parts.slice(i + 1).flatMap((p) => p.args);
        for (const arg of made)
          if (arg >= def.params.length && !later.includes(arg))
            throw new Error(`nothing reads what ${part.def.name} makes`);
      });
      expectSame('all parts', memory.slice(0, def.params.length), want);
    }),
    { seed, numRuns: 90 },
  );
  t.comment(
    `definitions by number of kernels: ${[...counts]
      .sort()
      .map(([n, c]) => `${n}: ${c}`)
      .join(', ')}`,
  );
  t.pass();
});

/** Runs definitions one after the other, on one buffer per argument; returns the kernels. */
function runParts(
  parts: ReturnType<typeof prepareContraction<number>>,
  memory: readonly KernelBuffer[],
  target: Target,
): Kernel[] {
  return parts.map(({ def, args }) => {
    const kernel = scheduleKernel(def, target);
    verifyKernel(kernel);
    interpretKernel(
      kernel,
      args.map((a) => memory[a]!),
      0,
      kernel.unit.extent,
    );
    return kernel;
  });
}

t.test('an operand is packed when its elements are not neighbours along the columns', async (t) => {
  // out[n, m, c] = Σ_k x[c, n, k] · y[c, m, k]
  const vars = new VarSource();
  const [n, m, c, k] = [vars.make('n', 16), vars.make('m', 9), vars.make('c', 8), vars.make('k', 6)];
  const x = load('f32', 0, flatIndex([c, n, k]));
  const y = load('f32', 1, flatIndex([c, m, k]));
  const params = [
    param('x', 'f32', 768, 'read'),
    param('y', 'f32', 432, 'read'),
    param('out', 'f32', 1152, 'write'),
  ];
  const space = [n, m, c];
  const value = reduce('sum', [k], binary('mul', x, y));
  const def = {
    name: 'batched',
    params,
    flags: null,
    space,
    stores: [{ param: 2, index: flatIndex(space), value }],
    vars,
  };
  const want = buffersFor(params);
  evaluateDefinition(def, want);
  const memory = buffersFor(params);
  const parts = prepareContraction(
    { def, args: [0, 1, 2] },
    targets[0]!,
    (_, elements) => memory.push(new Float32Array(elements)) - 1,
  );
  t.same(
    parts.map((p) => p.def.params.map((q) => `${q.access} ${q.name}`)),
    [
      ['read y', 'write y packed'],
      ['read x', 'write out', 'read y packed'],
    ],
  );
  const kernels = runParts(parts, memory, targets[0]!);
  t.match(kernels[1]!.schedule, /lanes across m/, 'results that are not neighbours are stored one by one');
  expectSame('batched', memory.slice(0, 3), want);
});

t.test('large operands are packed into panels as wide as the tiles, tails included', async (t) => {
  for (const [rows, inner, columns, transposed, expected] of [
    [70, 90, 100, false, ['y packed']],
    [81, 270, 103, true, ['x packed', 'y packed']],
    // Of few rounds the rows stay near as they lie.
    [81, 70, 103, true, ['y packed']],
  ] as const) {
    const vars = new VarSource();
    const [m, n, k] = [vars.make('m', rows), vars.make('n', columns), vars.make('k', inner)];
    const x = load('f32', 0, transposed ? flatIndex([k, m]) : flatIndex([m, k]));
    const y = load('f32', 1, flatIndex([k, n]));
    const params = [
      param('x', 'f32', rows * inner, 'read'),
      param('y', 'f32', inner * columns, 'read'),
      param('out', 'f32', rows * columns, 'write'),
    ];
    const space = [m, n];
    const stores = [{ param: 2, index: flatIndex(space), value: reduce('sum', [k], binary('mul', x, y)) }];
    const def = { name: 'large', params, flags: null, space, stores, vars };
    const want = buffersFor(params);
    evaluateDefinition(def, want);
    const memory = buffersFor(params);
    const target: Target = { ...targets[0]!, unitWork: 100_000 };
    const parts = prepareContraction(
      { def, args: [0, 1, 2] },
      target,
      (_, elements) => memory.push(new Float32Array(elements)) - 1,
    );
    const packed = parts.at(-1)!.def.params.filter((q) => q.name.endsWith('packed'));
    t.same(
      packed.map((q) => q.name),
      expected,
    );
    runParts(parts, memory, target);
    expectSame('large', memory.slice(0, 3), want);
  }
});

t.test('tiles are chosen by the extents: rows and columns that fit, one row when there is one', async (t) => {
  const tileOf = (rows: number, columns: number, inner: number): string => {
    const vars = new VarSource();
    const [m, n, k] = [vars.make('m', rows), vars.make('n', columns), vars.make('k', inner)];
    const body = binary('mul', load('f32', 0, flatIndex([m, k])), load('f32', 1, flatIndex([k, n])));
    const params = [
      param('x', 'f32', rows * inner, 'read'),
      param('y', 'f32', inner * columns, 'read'),
      param('out', 'f32', rows * columns, 'write'),
    ];
    const stores = [{ param: 2, index: flatIndex([m, n]), value: reduce('sum', [k], body) }];
    const def = { name: 'x', params, flags: null, space: [m, n], stores, vars };
    return /tile (\d+ × \d+)/.exec(scheduleKernel(def, wasmRelaxed).schedule)?.[1] ?? 'none';
  };
  t.equal(tileOf(64, 64, 64), '4 × 8');
  t.equal(tileOf(1, 96, 64), '1 × 24', 'a single row is wide');
  t.equal(tileOf(60, 12, 64), '3 × 12', 'nothing left over');
  t.equal(tileOf(2, 64, 64), '2 × 16');
});

t.test('a long sum at a position known at run time keeps its check, and is not packed', async (t) => {
  // out[n, m] = Σ_k x[row, k, n] · y[k, m] with row = rows[0], checked
  const vars = new VarSource();
  const [n, m, k] = [vars.make('n', 8), vars.make('m', 5), vars.make('k', 2100)];
  const rows: Expr = { kind: 'checkIndex', type: 'i32', x: load('i32', 2, constIndex(0)), size: 2, site: 0 };
  const row = atomIndex({ kind: 'value', expr: rows, extent: 2, id: vars.next() });
  const x = load('f32', 0, addIndex(scaleIndex(row, 2100 * 8), flatIndex([k, n])));
  const y = load('f32', 1, flatIndex([k, m]));
  const params = [
    param('x', 'f32', 2 * 2100 * 8, 'read'),
    param('y', 'f32', 2100 * 5, 'read'),
    param('rows', 'i32', 1, 'read'),
    param('flags', 'i32', 2, 'write'),
    param('out', 'f32', 40, 'write'),
  ];
  const value = unary('neg', reduce('sum', [k], binary('mul', x, y)));
  const space = [n, m];
  const def = {
    name: 'row',
    params,
    flags: 3,
    space,
    stores: [{ param: 4, index: flatIndex(space), value }],
    vars,
  };
  for (const [at, flags] of [
    [1, [0, 0]],
    [7, [1, 7]],
  ] as const) {
    const [xs, ys] = buffersFor(params);
    const memory: KernelBuffer[] = [xs!, ys!, Int32Array.of(at), new Int32Array(2), new Float32Array(40)];
    const parts = prepareContraction(
      { def, args: [0, 1, 2, 3, 4] },
      targets[0]!,
      (_, elements) => memory.push(new Float32Array(elements)) - 1,
    );
    t.same(
      parts.map((p) => [p.def.flags, p.def.params.map((q) => `${q.access} ${q.name}`)]),
      [
        [3, ['read x', 'read y', 'read rows', 'write flags', 'write row (parts)']],
        [null, ['write out', 'read row (parts)']],
      ],
    );
    runParts(parts, memory, targets[0]!);
    t.same([...memory[3]!], flags);
    let sum = 0;
    for (let i = 0; i < 2100; i++) sum += xs![2100 * 8 + i * 8]! * ys![i * 5]!;
    t.equal(memory[4]![0], -sum);
  }
});

/** out[n, m] = Σ_k x[n, k] · y[k, m], lying as the strides say: [loop, elements from one to the next]. */
function productOver(
  extents: Readonly<Record<'n' | 'm' | 'k', number>>,
  xOf: readonly (readonly ['n' | 'm' | 'k', number])[],
  yOf: readonly (readonly ['n' | 'm' | 'k', number])[],
): KernelDefinition {
  const vars = new VarSource();
  const loops = { n: vars.make('n', extents.n), m: vars.make('m', extents.m), k: vars.make('k', extents.k) };
  const at = (list: typeof xOf) => addIndex(...list.map(([v, by]) => scaleIndex(varIndex(loops[v]), by)));
  const size = (list: typeof xOf) => list.reduce((top, [v, by]) => top + (extents[v] - 1) * by, 1);
  const body = binary('mul', load('f32', 0, at(xOf)), load('f32', 1, at(yOf)));
  const space = [loops.n, loops.m].filter((v) => v.extent > 1);
  return {
    name: 'product',
    params: [
      param('x', 'f32', size(xOf), 'read'),
      param('y', 'f32', size(yOf), 'read'),
      param('out', 'f32', extents.n * extents.m, 'write'),
    ],
    flags: null,
    space,
    stores: [{ param: 2, index: flatIndex(space), value: reduce('sum', [loops.k], body) }],
    vars,
  };
}

function countLoops(stmts: Kernel['body']): number {
  return stmts.reduce((n, s) => {
    if (s.kind === 'for') return n + 1 + countLoops(s.body);
    return s.kind === 'if' ? n + countLoops(s.body) + countLoops(s.otherwise) : n;
  }, 0);
}

t.test('short sums have no loop of their own, and are the same sums', async (t) => {
  for (const [k, isShort] of [
    [1, true],
    [2, true],
    [16, false],
  ] as const) {
    const make = () =>
      productOver(
        { n: 3, m: 12, k },
        [
          ['n', k],
          ['k', 1],
        ],
        [
          ['k', 12],
          ['m', 1],
        ],
      );
    const kernel = scheduleKernel(make(), wasmRelaxed);
    verifyKernel(kernel);
    t.match(kernel.schedule, /tile 3 × 12 .*across m/);
    t.equal(countLoops(kernel.body) === 0, isShort, `sums of ${k}`);
    const buffers = buffersFor(make().params);
    const want = buffers.map((b) => b.slice());
    evaluateDefinition(make(), want);
    run(kernel, buffers, [0, kernel.unit.extent]);
    expectSame(`sums of ${k}`, buffers, want);
  }
});

t.test('rows and columns of a tile share what they load: else it would not fit the registers', async (t) => {
  // Sixteen rows of 500, each times the same piece of one row: 10 such pieces, the columns, would share nothing.
  const def = productOver(
    { n: 16, m: 10, k: 500 },
    [
      ['n', 5000],
      ['m', 500],
      ['k', 1],
    ],
    [
      ['m', 500],
      ['k', 1],
    ],
  );
  t.match(scheduleKernel(def, wasmRelaxed).schedule, /tile 6 × 1 \(rows n, columns –\), lanes along k/);
});
