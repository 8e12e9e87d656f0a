// The benchmarked nets, as data: parameters in order, shapes, initial values. Built by test/support/workloads.ts for
// Heddle and by tfjs.mjs for TensorFlow.js, so that both compute the same numbers.

const he = (name, shape, fan) => ({ name, shape, init: 'he', fan });
const zero = (name, n) => ({ name, shape: [n], init: 'zero' });
const one = (name, n) => ({ name, shape: [n], init: 'one' });

/** The classic spiral net: 2 – 100 ReLU – 3, all 300 points in a batch. */
export const spiral = {
  kind: 'mlp',
  layers: 2,
  batch: 300,
  input: [2],
  classes: 3,
  opt: { type: 'sgd', lr: 0.1, momentum: 0.9, wd: 0 },
  params: [he('l0.w', [2, 100], 2), zero('l0.b', 100), he('l1.w', [100, 3], 100), zero('l1.b', 3)],
};

/** ResNet of 6n + 2 layers on 32 × 32 × 3 pictures. */
export function resnet(n, batch = 64) {
  const blocks = [];
  for (const [stage, c] of [16, 32, 64].entries()) {
    for (let i = 0; i < n; i++) {
      const first = stage > 0 && i === 0;
      blocks.push({ name: `s${stage}b${i}`, stride: first ? 2 : 1, proj: first, c });
    }
  }
  const bn = (name, c) => [one(`${name}.g`, c), zero(`${name}.b`, c)];
  const params = [he('stem.w', [16, 3, 3, 3], 27), ...bn('stem.bn', 16)];
  let from = 16;
  for (const b of blocks) {
    params.push(he(`${b.name}.c1.w`, [b.c, from, 3, 3], 9 * from), ...bn(`${b.name}.bn1`, b.c));
    params.push(he(`${b.name}.c2.w`, [b.c, b.c, 3, 3], 9 * b.c), ...bn(`${b.name}.bn2`, b.c));
    if (b.proj) params.push(he(`${b.name}.proj.w`, [b.c, from, 1, 1], from), ...bn(`${b.name}.pbn`, b.c));
    from = b.c;
  }
  params.push(he('fc.w', [64, 10], 64), zero('fc.b', 10));
  return {
    kind: 'resnet',
    blocks,
    batch,
    input: [3, 32, 32],
    classes: 10,
    opt: { type: 'sgd', lr: 0.05, momentum: 0.9, wd: 1e-4 },
    params,
  };
}
