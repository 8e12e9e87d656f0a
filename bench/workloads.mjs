// The benchmarked nets, as data: parameters in order, shapes, initial values. Built by test/support/workloads.ts for
// Heddle and by tfjs.mjs for TensorFlow.js, so that both compute the same numbers. More nets are read from the file
// WORKLOADS, by default from the reference data beside this repository.

import { existsSync, readFileSync } from 'node:fs';
import {
  batches,
  chainProgram,
  draw,
  inferenceProgram,
  trainingProgram,
} from '../build/test/support/workloads.js';

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

/** y = tanh(sigmoid(a x + b) x + relu(x − c)) and its gradient, over a million elements. */
export const chain = { kind: 'chain', n: 1 << 20, a: 1.5, b: -0.25, c: 0.125 };

const own = {
  spiral: () => spiral,
  resnet8: () => resnet(1),
  resnet20: () => resnet(3),
  'resnet8-infer-b1': () => ({ ...resnet(1, 1), infer: true }),
  'resnet8-infer-b64': () => ({ ...resnet(1), infer: true }),
  chain: () => chain,
};

/** A workload by its name: of the reference data when it is there, else of this file. */
export function findWorkload(name) {
  const file = process.env.WORKLOADS ?? new URL('../../shared/bench/peers/workloads.json', import.meta.url);
  const read = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const known = { ...own, ...Object.fromEntries(Object.keys(read).map((key) => [key, () => read[key]])) };
  if (Object.hasOwn(known, name)) return known[name]();
  throw new Error(`no workload '${name}'; there are ${Object.keys(known).join(', ')}`);
}

/** The program of a workload, its entry, the feeds it cycles through, and the number that says whether it is right. */
export function programOf(workload, options) {
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  if (workload.kind === 'chain') {
    const x = draw(1000, workload.n, (u) => 4 * u - 2);
    const value = ({ y, dx }) => [mean(Array.from(y.data)), mean(Array.from(dx.data))];
    return { program: chainProgram(workload, options), entry: 'run', cycle: [{ x }], feeds: { x }, value };
  }
  const data = batches(workload);
  if (workload.infer) {
    const cycle = data.map(({ x }) => ({ x }));
    const value = ({ logits }) => mean(Array.from(logits.data, Math.abs));
    return { program: inferenceProgram(workload, options), entry: 'predict', cycle, feeds: cycle[0], value };
  }
  const value = ({ loss }) => loss.data[0];
  return { program: trainingProgram(workload, options), entry: 'train', cycle: data, feeds: data[0], value };
}
