// The roofline, on kernels that are easy to reckon.

import t from 'tap';
import { boundOf, lossesOf } from '../../src/profile/roofline.ts';

const ceiling = { gflops: 50, gbps: 20 };

t.test('the bound is the slower of arithmetic and bytes', async (t) => {
  t.same(boundOf({ flops: 100e6, bytes: 20e6 }, ceiling), { ms: 2, by: 'arithmetic' });
  t.same(boundOf({ flops: 10e6, bytes: 20e6 }, ceiling), { ms: 1, by: 'bandwidth' });
  t.equal(boundOf({ flops: 0, bytes: 0 }, ceiling).ms, 0);
});

t.test('losses: largest first, never below 0', async (t) => {
  const kernels = [
    { name: 'near', flops: 100e6, bytes: 0, ms: 2.5 },
    { name: 'far', flops: 0, bytes: 20e6, ms: 4 },
    { name: 'from a cache', flops: 0, bytes: 20e6, ms: 0.5 },
    { name: 'nothing', flops: 0, bytes: 0, ms: 0 },
  ];
  t.same(
    lossesOf(kernels, ceiling).map(({ of, ratio, lostMs }) => [of.name, ratio, lostMs]),
    [
      ['far', 0.25, 3],
      ['near', 0.8, 0.5],
      ['from a cache', 2, 0],
      ['nothing', 1, 0],
    ],
  );
});
