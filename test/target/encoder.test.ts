// Modules are valid, their text assembles to the same code, and emission is fast.

import t from 'tap';
import wabt from 'wabt';
import { binary, constant, unary } from '../../compiler/kernel/expr.ts';
import type { Kernel } from '../../compiler/kernel/ir.ts';
import { emitWasm, printWat } from '../../compiler/target/wasm/emit.ts';
import { ByteWriter } from '../../compiler/target/wasm/encoder.ts';
import { affine, Ids, kernel, load, loop, param, read, store } from '../support/run-kernel.ts';

/** Accumulates tanh(x) · y + flag tests: loads, loops, math, checks, bytes. */
function sample(name: string): Kernel {
  const ids = new Ids();
  const unit = ids.loop('unit', 4);
  const i = ids.loop('i', 64);
  const acc = ids.register('acc');
  const at = affine(0, [64, unit], [1, i]);
  const product = binary('mul', unary('tanh', load('f32', 0, at, 1)), load('f32', 1, at, 1));
  return kernel(
    name,
    [
      param('x', 'f32', 256, 'read'),
      param('loss/y', 'f32', 256, 'read'),
      param('z', 'f32', 4, 'write'),
      param('flags', 'i32', 2, 'write'),
      param('b', 'bool', 256, 'write'),
    ],
    unit,
    [
      { kind: 'let', reg: acc, value: constant('f32', 0), lanes: 4 },
      loop(
        i,
        [
          { kind: 'set', reg: acc, value: binary('add', read(acc), product), lanes: 4 },
          store(
            4,
            at,
            { kind: 'compare', type: 'bool', fn: 'lt', operandType: 'f32', x: product, y: read(acc) },
            4,
          ),
        ],
        4,
      ),
      store(2, affine(0, [1, unit]), {
        kind: 'checkFinite',
        type: 'f32',
        x: load('f32', 0, affine(3, [64, unit])),
        site: 0,
      }),
    ],
    3,
  );
}

t.test('bytes are valid and the text assembles to the same bytes', async (t) => {
  const tools = await wabt();
  for (const shared of [false, true])
    for (const relaxed of [false, true]) {
      const kernels = [sample('first'), sample('second')];
      const bytes = emitWasm(kernels, { shared, relaxed });
      if (!relaxed) t.ok(WebAssembly.validate(bytes), `valid, shared ${shared}`);
      const text = printWat(kernels, { shared, relaxed });
      const module = tools.parseWat('kernels.wat', text, { simd: true, threads: true, relaxed_simd: true });
      module.resolveNames();
      const assembled = module.toBinary({}).buffer;
      module.destroy();
      t.equal(
        Buffer.compare(assembled, Buffer.from(bytes)),
        0,
        `same bytes, shared ${shared}, relaxed ${relaxed}`,
      );
      t.equal(text.includes('relaxed_madd'), relaxed);
    }
});

t.test('the same kernels give the same bytes', async (t) => {
  const options = { shared: false, relaxed: false };
  t.same(emitWasm([sample('k')], options), emitWasm([sample('k')], options));
});

t.test('300 kernels are emitted in a moment', async (t) => {
  const kernels = Array.from({ length: 300 }, (_, n) => sample(`k${n}`));
  emitWasm(kernels.slice(0, 50), { shared: false, relaxed: false });
  const start = performance.now();
  const bytes = emitWasm(kernels, { shared: false, relaxed: false });
  const ms = performance.now() - start;
  t.ok(WebAssembly.validate(bytes), `${bytes.length} bytes in ${ms.toFixed(0)} ms`);
  // A quadratic encoder takes seconds; the bound leaves room for a busy machine.
  t.comment(`${ms.toFixed(0)} ms`);
});

t.test(
  'an innermost loop holds loads, arithmetic, pointer moves and the counter, nothing else',
  async (t) => {
    const ids = new Ids();
    const unit = ids.loop('unit', 2);
    const k = ids.loop('k', 32);
    const acc = [ids.register('acc0'), ids.register('acc1')];
    const term = (j: number) =>
      binary('mul', load('f32', 0, affine(0, [32, unit], [1, k])), load('f32', 1, affine(4 * j, [8, k]), 1));
    const dot = kernel(
      'dot',
      [param('a', 'f32', 64, 'read'), param('b', 'f32', 256, 'read'), param('c', 'f32', 16, 'write')],
      unit,
      [
        ...acc.map((reg) => ({ kind: 'let', reg, value: constant('f32', 0), lanes: 4 }) as const),
        loop(
          k,
          acc.map(
            (reg, j) => ({ kind: 'set', reg, value: binary('add', read(reg), term(j)), lanes: 4 }) as const,
          ),
        ),
        ...acc.map((reg, j) => store(2, affine(4 * j, [8, unit]), read(reg), 4)),
      ],
    );
    const lines = printWat([dot], { shared: false, relaxed: false })
      .split('\n')
      .map((l) => l.trim());
    const start = lines.lastIndexOf('loop');
    const inner = lines.slice(start + 1, lines.indexOf('end', start)).filter((l) => !l.startsWith('local.'));
    t.same(inner, [
      'v128.load32_splat align=4',
      'v128.load align=4',
      'f32x4.mul',
      'f32x4.add',
      'v128.load32_splat align=4',
      'v128.load offset=16 align=4',
      'f32x4.mul',
      'f32x4.add',
      'i32.const 4',
      'i32.add',
      'i32.const 32',
      'i32.add',
      'i32.const 1',
      'i32.add',
      'i32.const 32',
      'i32.lt_s',
      'br_if 0',
    ]);
  },
);

t.test('LEB128 at the borders', async (t) => {
  const bytes = (write: (w: ByteWriter) => void): number[] => {
    const w = new ByteWriter();
    write(w);
    return [...w.view()];
  };
  t.same(
    bytes((w) => w.u32(127)),
    [127],
  );
  t.same(
    bytes((w) => w.u32(128)),
    [128, 1],
  );
  t.same(
    bytes((w) => w.u32(0xffffffff)),
    [255, 255, 255, 255, 15],
  );
  t.same(
    bytes((w) => w.s32(63)),
    [63],
  );
  t.same(
    bytes((w) => w.s32(64)),
    [192, 0],
  );
  t.same(
    bytes((w) => w.s32(-64)),
    [64],
  );
  t.same(
    bytes((w) => w.s32(-65)),
    [191, 127],
  );
  t.same(
    bytes((w) => w.s32(-2147483648)),
    [128, 128, 128, 128, 120],
  );
});
