// The text of kernels: what it looks like, that it is read back, and how mistakes in it are reported.

import t from 'tap';
import { binary, constant, type Expr, unary } from '../../compiler/kernel/expr.ts';
import { parseKernel } from '../../compiler/kernel/parse.ts';
import { printKernel, sameKernel } from '../../compiler/kernel/print.ts';
import { affine, Ids, kernel, load, loop, param, read, store } from '../support/run-kernel.ts';

const text = `kernel "block1/dense+relu"
schedule "by hand"
cost 0 flops, 0 bytes
param x: read f32[64]
param block1_w: read f32[128] "block1/w"
param y: write f32[32]
param seen: write bool[4]
unit unit of 4 {
  let acc: f32 x4 = 0.0
  for k of 16 {
    set acc x4 = add(acc, mul(x[16*unit + k], block1_w[8*k : 1]))
  }
  for k.2 of 3 step 2 below unit + 1 {
    if (unit - 1 in 0..2 & k.2 + 3 by 2) {
      $1 = sqrt(guard(k.2 in 0..1 ? x[(unit + k.2)%5 + 2*((unit + k.2)/5)] : -inf))
      store y[8*unit + k.2] = select(eq($1, nan), neg($1), 1e-7)
    } else {
      store y[8*unit + k.2] = to_f32(checkless)
    }
  }
  store y[8*unit : 1] x4 = max(acc, 0.0)
  store y[8*unit + 4 : 1] x2 = acc
}
`;

t.test('text is read and printed again as it was', async (t) => {
  const whole = text.replace('to_f32(checkless)', 'to_f32(index[k.2 - 4])');
  t.equal(printKernel(parseKernel(whole)), whole);
});

t.test('a kernel built by hand prints like this', async (t) => {
  const ids = new Ids();
  const unit = ids.loop('unit', 2);
  const k = ids.loop('k', 4);
  const acc = ids.register('acc');
  const shared: Expr = unary('exp', load('f32', 0, affine(0, [4, unit], [1, k])));
  const body = [
    { kind: 'let', reg: acc, value: constant('f32', 0), lanes: 1 } as const,
    loop(k, [
      {
        kind: 'set',
        reg: acc,
        value: binary('add', read(acc), binary('mul', shared, shared)),
        lanes: 1,
      } as const,
    ]),
    store(1, affine(0, [1, unit]), read(acc), 1, 0),
  ];
  const made = kernel('norm', [param('x', 'f32', 8, 'read'), param('y', 'f32', 2, 'write')], unit, body);
  t.equal(
    printKernel(made),
    `kernel "norm"
schedule "by hand"
cost 0 flops, 0 bytes
param x: read f32[8]
param y: write f32[2]
unit unit of 2 {
  let acc: f32 = 0.0
  for k of 4 {
    $1 = exp(x[4*unit + k])
    set acc = add(acc, mul($1, $1))
  }
  store y[unit] = acc
}
`,
  );
  t.ok(sameKernel(made, parseKernel(printKernel(made))));
});

t.test('mistakes are reported with their place', async (t) => {
  t.throws(() => parseKernel(text), {
    code: 'HDL0006',
    message: "HDL0006: kernel text has 'checkless' where a register should be\n  at:   kernel:18:38",
  });
  t.throws(() => parseKernel(text.slice(0, 200)), { code: 'HDL0006' });
  t.throws(() => parseKernel(text.replace('x4 = 0.0', 'x4 = cbrt(1.0)')), {
    message: "HDL0006: kernel text has 'cbrt' where a function should be\n  at:   kernel:9:21",
  });
});
