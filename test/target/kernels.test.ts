// Kernels built by hand give the same bits on WebAssembly and JavaScript as in the interpreter.

import t from 'tap';
import {
  addIndex,
  atomIndex,
  constIndex,
  divIndex,
  modIndex,
  offsetIndex,
  varIndex,
} from '../../compiler/kernel/affine.ts';
import {
  binary,
  bitcast,
  compare,
  constant,
  convert,
  type Expr,
  indexValue,
  select,
  unary,
} from '../../compiler/kernel/expr.ts';
import type { Kernel } from '../../compiler/kernel/ir.ts';
import { parseKernel } from '../../compiler/kernel/parse.ts';
import { printKernel } from '../../compiler/kernel/print.ts';
import { verifyKernel } from '../../compiler/kernel/verify.ts';
import {
  affine,
  type Data,
  type Executor,
  Ids,
  kernel,
  load,
  loop,
  param,
  read,
  runKernel,
  store,
} from '../support/run-kernel.ts';

const f32 = (x: number): Expr => constant('f32', x);
const ramp = (n: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => ((i * 37) % 101) / 7 - 5);

interface Asserts {
  equal(found: unknown, wanted: unknown, message: string): boolean;
  same(found: unknown, wanted: unknown, message: string): boolean;
}

/** Verifies the kernel, runs it everywhere, compares bits; returns what the interpreter computed. */
function agree(
  t: Asserts,
  k: Kernel,
  buffers: readonly Data[],
  executors: readonly Executor[] = ['wasm', 'js'],
): Data[] {
  verifyKernel(k);
  const text = printKernel(k);
  t.equal(printKernel(parseKernel(text)), text, `${k.name}: text is read back`);
  const expected = runKernel(k, buffers, 'interpreter');
  for (const e of executors) t.same(runKernel(k, buffers, e), expected, `${k.name}: ${e}`);
  t.same(runKernel(parseKernel(text), buffers, 'wasm'), expected, `${k.name}: what was read back, on wasm`);
  return expected;
}
t.test('elementwise in vectors and a tail', async (t) => {
  for (const lanes of [1, 4] as const) {
    const ids = new Ids();
    const unit = ids.loop('unit', 3);
    const n = 10;
    const full = lanes === 4 ? 8 : 0;
    const value = (at: ReturnType<typeof affine>): Expr => {
      const a = load('f32', 0, at, lanes === 4 ? 1 : 0);
      return binary('max', binary('add', binary('mul', a, f32(1.1)), load('f32', 1, constIndex(2))), f32(0));
    };
    const i = ids.loop('i', 8);
    const j = ids.loop('i', n - full);
    const main = affine(0, [n, unit], [1, i]);
    const tail = affine(full, [n, unit], [1, j]);
    const tailLoad = binary(
      'max',
      binary('add', binary('mul', load('f32', 0, tail), f32(1.1)), load('f32', 1, constIndex(2))),
      f32(0),
    );
    const k = kernel(
      `relu${lanes}`,
      [param('x', 'f32', 30, 'read'), param('bias', 'f32', 4, 'read'), param('y', 'f32', 30, 'write')],
      unit,
      [
        ...(full > 0 ? [loop(i, [store(2, main, value(main), 4)], 4)] : []),
        loop(j, [store(2, tail, tailLoad)]),
      ],
    );
    agree(t, k, [ramp(30), ramp(4), new Float32Array(30)], lanes === 4 ? ['wasm'] : ['wasm', 'js']);
  }
});

t.test('a register tile of 4 × 8 gives the same bits as plain loops', async (t) => {
  const [M, N, K] = [8, 16, 12];
  const params = [
    param('a', 'f32', M * K, 'read'),
    param('b', 'f32', K * N, 'read'),
    param('c', 'f32', M * N, 'write'),
  ];
  const data = (): Data[] => [ramp(M * K), ramp(K * N), new Float32Array(M * N)];

  const tiled = (): Kernel => {
    const ids = new Ids();
    const unit = ids.loop('unit', N / 8);
    const m = ids.loop('m', M / 4);
    const k = ids.loop('k', K);
    const acc = [0, 1, 2, 3].map((i) => [0, 1].map((j) => ids.register(`acc${i}${j}`)));
    const x = [0, 1, 2, 3].map((i) => ids.register(`x${i}`));
    const y = [0, 1].map((j) => ids.register(`y${j}`));
    return kernel('tiled', params, unit, [
      loop(m, [
        ...acc.flat().map((reg) => ({ kind: 'let', reg, value: f32(0), lanes: 4 }) as const),
        loop(k, [
          ...y.map(
            (reg, j) =>
              ({
                kind: 'let',
                reg,
                lanes: 4,
                value: load('f32', 1, affine(4 * j, [8, unit], [N, k]), 1),
              }) as const,
          ),
          ...x.map(
            (reg, i) =>
              ({
                kind: 'let',
                reg,
                lanes: 4,
                value: load('f32', 0, affine(K * i, [4 * K, m], [1, k]), 0),
              }) as const,
          ),
          ...acc.flatMap((row, i) =>
            row.map(
              (reg, j) =>
                ({
                  kind: 'set',
                  reg,
                  lanes: 4,
                  value: binary('add', read(reg), binary('mul', read(x[i]!), read(y[j]!))),
                }) as const,
            ),
          ),
        ]),
        ...acc.flatMap((row, i) =>
          row.map((reg, j) => store(2, affine(N * i + 4 * j, [4 * N, m], [8, unit]), read(reg), 4)),
        ),
      ]),
    ]);
  };
  const plain = (): Kernel => {
    const ids = new Ids();
    const unit = ids.loop('unit', M);
    const n = ids.loop('n', N);
    const k = ids.loop('k', K);
    const acc = ids.register('acc');
    return kernel('plain', params, unit, [
      loop(n, [
        { kind: 'let', reg: acc, value: f32(0), lanes: 1 },
        loop(k, [
          {
            kind: 'set',
            reg: acc,
            lanes: 1,
            value: binary('add', read(acc), binary('mul', load('f32', 0, affine(0, [K, unit], [1, k])), load('f32', 1, affine(0, [N, k], [1, n])))),
          },
        ]),
        store(2, affine(0, [N, unit], [1, n]), read(acc)),
      ]),
    ]);
  }; // biome-ignore format: as above
  const a = agree(t, tiled(), data(), ['wasm']);
  const b = agree(t, plain(), data());
  t.same(a, b);
});

t.test('reductions: lanes meet in a fixed order', async (t) => {
  for (const monoid of ['sum', 'prod', 'max', 'min'] as const) {
    const ids = new Ids();
    const unit = ids.loop('row', 3);
    const i = ids.loop('i', 8);
    const acc = ids.register('acc');
    const total = ids.register('total');
    const fn = ({ sum: 'add', prod: 'mul', max: 'max', min: 'min' } as const)[monoid];
    const k = kernel(
      `reduce_${monoid}`,
      [param('x', 'f32', 24, 'read'), param('y', 'f32', 3, 'write')],
      unit,
      [
        { kind: 'let', reg: acc, value: f32(monoid === 'prod' ? 1 : 0), lanes: 4 },
        loop(
          i,
          [
            {
              kind: 'set',
              reg: acc,
              lanes: 4,
              value: binary(fn, read(acc), load('f32', 0, affine(0, [8, unit], [1, i]), 1)),
            },
          ],
          4,
        ),
        {
          kind: 'let',
          reg: total,
          lanes: 4,
          value: { kind: 'horizontal', type: 'f32', monoid, x: read(acc) },
        },
        store(1, affine(0, [1, unit]), read(total)),
      ],
    );
    agree(t, k, [ramp(24), new Float32Array(3)], ['wasm']);
    const special = Float32Array.from(
      { length: 24 },
      (_, j) => [0, -0, Number.NaN, Number.NEGATIVE_INFINITY][(j % 11) % 4]!,
    );
    agree(t, k, [special, new Float32Array(3)], ['wasm']);
  }
});

t.test('strides: gaps, reversed, and negative constants', async (t) => {
  for (const stride of [0, 1, 2, 5, -1, -3]) {
    const ids = new Ids();
    const unit = ids.loop('unit', 2);
    const i = ids.loop('i', 8);
    // Reversed rows start at their end.
    const start = stride < 0 ? -7 * stride : 0;
    const at = affine(start, [40, unit], [stride, i]);
    const k = kernel(
      'strided',
      [
        param('x', 'f32', 80, 'read'),
        param('b', 'bool', 80, 'read'),
        param('y', 'f32', 160, 'write'),
        param('z', 'u8', 160, 'write'),
      ],
      unit,
      [
        loop(
          i,
          [
            store(
              2,
              affine(start, [40, unit], [stride, i]),
              unary('neg', load('f32', 0, at, stride)),
              4,
              stride,
            ),
            store(3, at, convert('u32', load('bool', 1, at, stride)), 4, stride),
            store(
              2,
              affine(80, [40, unit], [1, i]),
              select(load('bool', 1, at, stride), load('f32', 0, at, stride), f32(9)),
              4,
              1,
            ),
          ],
          4,
        ),
      ],
    );
    agree(
      t,
      k,
      [
        ramp(80),
        Uint8Array.from({ length: 80 }, (_, j) => (j % 3 === 0 ? 1 : 0)),
        new Float32Array(160),
        new Uint8Array(160),
      ],
      ['wasm'],
    );
  }
});

t.test('bytes: bool and u8 are narrowed and widened', async (t) => {
  for (const lanes of [1, 4] as const) {
    const ids = new Ids();
    const unit = ids.loop('unit', 1);
    const i = ids.loop('i', 16);
    const at = affine(0, [1, i]);
    const s = lanes === 4 ? 1 : 0;
    const x = load('f32', 0, at, s);
    const u = load('u32', 1, at, s);
    const k = kernel(
      `bytes${lanes}`,
      [
        param('x', 'f32', 16, 'read'),
        param('u', 'u8', 16, 'read'),
        param('p', 'bool', 16, 'write'),
        param('v', 'u8', 16, 'write'),
        param('s', 'f32', 16, 'write'),
      ],
      unit,
      [
        loop(
          i,
          [
            store(
              2,
              at,
              binary('xor', compare('lt', x, f32(0)), compare('ge', u, constant('u32', 128))),
              lanes,
            ),
            store(3, at, binary('mul', u, constant('u32', 3)), lanes),
            store(4, at, convert('f32', u), lanes),
          ],
          lanes,
        ),
      ],
    );
    const bytes = Uint8Array.from({ length: 16 }, (_, j) => j * 17);
    agree(
      t,
      k,
      [ramp(16), bytes, new Uint8Array(16), new Uint8Array(16), new Float32Array(16)],
      lanes === 4 ? ['wasm'] : ['wasm', 'js'],
    );
  }
});

t.test('guards: only the chosen side is read, and what it shares is not reused outside', async (t) => {
  // Padding of a 4 × 6 image by one on all sides.
  const ids = new Ids();
  const unit = ids.loop('y', 6);
  const x = ids.loop('x', 8);
  const inside = load('f32', 0, affine(-7, [6, unit], [1, x]));
  const double = binary('mul', inside, f32(2));
  const padded: Expr = {
    kind: 'guard',
    type: 'f32',
    conditions: [
      { kind: 'inRange', index: affine(-1, [1, unit]), lo: 0, hi: 4 },
      { kind: 'inRange', index: affine(-1, [1, x]), lo: 0, hi: 6 },
    ],
    value: binary('add', double, double),
    otherwise: f32(-1),
  };
  const even: Expr = {
    kind: 'guard',
    type: 'f32',
    conditions: [{ kind: 'divisible', index: affine(3, [1, unit], [2, x]), by: 3 }],
    value: f32(100),
    otherwise: padded,
  };
  const k = kernel('pad', [param('x', 'f32', 24, 'read'), param('y', 'f32', 48, 'write')], unit, [
    loop(x, [store(1, affine(0, [8, unit], [1, x]), binary('add', even, padded))]),
  ]);
  const out = agree(t, k, [ramp(24), new Float32Array(48)])[1]!;
  t.equal(out[9 + 1], Math.fround(8 * ramp(24)[1]!), 'an element inside, from both guards');
});

t.test('if, and limits that depend on the unit', async (t) => {
  const ids = new Ids();
  const unit = ids.loop('unit', 4);
  const i = ids.loop('i', 8);
  const j = ids.loop('j', 7);
  const k = kernel('ragged', [param('x', 'f32', 32, 'read'), param('y', 'f32', 32, 'write')], unit, [
    {
      kind: 'if',
      conditions: [{ kind: 'inRange', index: affine(0, [1, unit]), lo: 0, hi: 3 }],
      body: [
        loop(i, [
          store(
            1,
            affine(0, [8, unit], [1, i]),
            unary('sqrt', unary('abs', load('f32', 0, affine(0, [8, unit], [1, i])))),
          ),
        ]),
      ],
      otherwise: [loop(j, [store(1, affine(24, [1, j]), f32(5))], 2, affine(-2, [3, unit]))],
    },
    loop(j, [], 1, affine(0, [2, unit])),
  ]);
  agree(t, k, [ramp(32), new Float32Array(32)]);
});

t.test('quasi-affine indices, negative ones too', async (t) => {
  const ids = new Ids();
  const unit = ids.loop('unit', 5);
  const i = ids.loop('i', 24);
  const flat = affine(0, [24, unit], [1, i]);
  const shifted = offsetIndex(flat, -50);
  const at = addIndex(modIndex(flat, 7), {
    constant: 0,
    terms: divIndex(flat, 7).terms.map((x) => ({ ...x, coeff: 7 * x.coeff })),
  });
  const values = [
    divIndex(shifted, 7),
    modIndex(shifted, 7),
    divIndex(shifted, 8),
    modIndex(shifted, 8),
    modIndex(divIndex(flat, 3), 5),
    divIndex(modIndex(shifted, 9), 4),
  ];
  const k = kernel('quasi', [param('y', 'i32', 120 * values.length, 'write')], unit, [
    loop(
      i,
      values.map((v, n) => store(0, offsetIndex(at, 120 * n), indexValue(v))),
    ),
  ]);
  const out = agree(t, k, [new Int32Array(120 * values.length)])[0]!;
  t.equal(out[0], Math.floor(-50 / 7));
  t.equal(out[120], 6);
});

t.test('gather through a checked index, and finiteness', async (t) => {
  for (const lanes of [1, 4] as const) {
    const ids = new Ids();
    const unit = ids.loop('row', 6);
    const c = ids.loop('c', 8);
    const checked: Expr = {
      kind: 'checkIndex',
      type: 'i32',
      x: load('i32', 0, affine(0, [1, unit])),
      size: 5,
      site: 1,
    };
    const at = addIndex(affine(0, [1, c]), {
      constant: 0,
      terms: [
        { coeff: 8, atom: atomIndex({ kind: 'value', expr: checked, extent: 5, id: 99 }).terms[0]!.atom },
      ],
    });
    const k = kernel(
      `gather${lanes}`,
      [
        param('i', 'i32', 6, 'read'),
        param('table', 'f32', 40, 'read'),
        param('y', 'f32', 48, 'write'),
        param('flags', 'i32', 4, 'write'),
      ],
      unit,
      [
        loop(
          c,
          [
            store(
              2,
              affine(0, [8, unit], [1, c]),
              { kind: 'checkFinite', type: 'f32', x: load('f32', 1, at, lanes === 4 ? 1 : 0), site: 0 },
              lanes,
            ),
          ],
          lanes,
        ),
      ],
      3,
    );
    const executors = lanes === 4 ? (['wasm'] as const) : (['wasm', 'js'] as const);
    const fine = agree(
      t,
      k,
      [Int32Array.from([4, 0, 1, 2, 3, 4]), ramp(40), new Float32Array(48), new Int32Array(4)],
      executors,
    );
    t.same([...fine[3]!], [0, 0, 0, 0]);
    const table = ramp(40);
    table[39] = Number.NaN;
    const bad = agree(
      t,
      k,
      [Int32Array.from([0, 7, 1, -1, 2, 3]), table, new Float32Array(48), new Int32Array(4)],
      executors,
    );
    t.same(
      [...bad[3]!],
      [1, 1, -1, 0],
      'the last index that failed, and a NaN that was read through the clamped one',
    );
  }
});

t.test('integers: wrapping, division by zero, shifts by lanes', async (t) => {
  const interesting = [0, 1, -1, 2, 7, -7, 2147483647, -2147483648, 31, 33, 1000003, -1000003];
  const x = Int32Array.from(interesting.flatMap((v) => interesting.map(() => v)));
  const y = Int32Array.from(interesting.flatMap(() => interesting));
  const n = x.length;
  const functions = [
    'add',
    'sub',
    'mul',
    'div',
    'mod',
    'min',
    'max',
    'and',
    'or',
    'xor',
    'shl',
    'shr',
  ] as const;
  for (const lanes of [1, 4] as const)
    for (const type of ['i32', 'u32'] as const) {
      const ids = new Ids();
      const unit = ids.loop('unit', 1);
      const i = ids.loop('i', n);
      const at = affine(0, [1, i]);
      const a = load(type, 0, at, lanes === 4 ? 1 : 0);
      const b = load(type, 1, at, lanes === 4 ? 1 : 0);
      const results = [
        ...functions.map((fn) => binary(fn, a, b)),
        ...functions.map((fn) => binary(fn, a, constant(type, 8))),
        unary('not', a),
        ...(type === 'i32' ? [unary('neg', a), unary('abs', a), unary('sign', a)] : []),
        ...(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const).map((fn) => convert(type, compare(fn, a, b))),
        bitcast(type, convert('f32', a)),
        convert(type, bitcast('f32', binary('and', a, constant(type, 0x7fffff)))),
      ];
      const k = kernel(
        `${type}_${lanes}`,
        [
          param('x', type, n, 'read'),
          param('y', type, n, 'read'),
          param('z', type, n * results.length, 'write'),
        ],
        unit,
        [
          loop(
            i,
            results.map((e, r) => store(2, affine(r * n, [1, i]), e, lanes)),
            lanes,
          ),
        ],
      );
      const as = (d: Int32Array): Data => (type === 'i32' ? d : new Uint32Array(d.buffer));
      agree(
        t,
        k,
        [as(x), as(y), as(new Int32Array(n * results.length))],
        lanes === 4 ? ['wasm'] : ['wasm', 'js'],
      );
    }
});

t.test('floats: rounding functions, conversions, comparisons at the edges', async (t) => {
  const list = [0, -0, 0.5, -0.5, 1.5, 2.5, -1.5, -2.5, 0.49999997, 8388609, 1e10, -1e10, 2147483648, 4294967296, 3e38, -3e38, 1e-42, Infinity, -Infinity, NaN]; // biome-ignore format: a list
  const x = Float32Array.from(list.flatMap((v) => list.map(() => v)));
  const y = Float32Array.from(list.flatMap(() => list));
  const n = x.length;
  for (const lanes of [1, 4] as const) {
    const ids = new Ids();
    const unit = ids.loop('unit', 1);
    const i = ids.loop('i', n);
    const s = lanes === 4 ? 1 : 0;
    const a = load('f32', 0, affine(0, [1, i]), s);
    const b = load('f32', 1, affine(0, [1, i]), s);
    const results = [
      ...(['neg', 'abs', 'sign', 'floor', 'ceil', 'trunc', 'round', 'sqrt'] as const).map((fn) => unary(fn, a)),
      ...(['add', 'sub', 'mul', 'div', 'min', 'max'] as const).map((fn) => binary(fn, a, b)),
      binary('max', a, f32(0)), binary('max', f32(0), a), binary('min', a, f32(-0)), binary('min', f32(1), a),
      ...(['i32', 'u32', 'bool'] as const).map((type) => convert('f32', convert(type, a))),
      ...(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const).map((fn) => convert('f32', compare(fn, a, b))),
      ...(['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const).map((fn) =>
        convert('f32', compare(fn, compare('lt', a, b), compare('gt', a, f32(1)))),
      ),
    ]; // biome-ignore format: a list
    const k = kernel(
      `f32_${lanes}`,
      [
        param('x', 'f32', n, 'read'),
        param('y', 'f32', n, 'read'),
        param('z', 'f32', n * results.length, 'write'),
      ],
      unit,
      [
        loop(
          i,
          results.map((e, r) => store(2, affine(r * n, [1, i]), e, lanes)),
          lanes,
        ),
      ],
    );
    agree(t, k, [x, y, new Float32Array(n * results.length)], lanes === 4 ? ['wasm'] : ['wasm', 'js']);
  }
});

t.test('the loop variable of a unit alone', async (t) => {
  const ids = new Ids();
  const unit = ids.loop('unit', 7);
  const k = kernel('iota', [param('y', 'i32', 7, 'write')], unit, [
    store(0, varIndex(unit), indexValue(affine(10, [3, unit]))),
  ]);
  t.same([...agree(t, k, [new Int32Array(7)])[0]!], [10, 13, 16, 19, 22, 25, 28]);
});
