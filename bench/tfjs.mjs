// The same training steps in TensorFlow.js: NHWC, momentum by hand, since its own optimizer has no weight decay.

import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import { batches, initialValues } from '../build/test/support/workloads.js';

/** A training step over a backend: `{ step() → loss, end() }`. Throws when the backend lacks a kernel. */
export async function makeStep(workload, backend) {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend '${backend}' here`);
  await tf.ready();
  const image = workload.input.length === 3;
  const toNhwc = (t) => tf.tidy(() => tf.transpose(t, [0, 2, 3, 1]));
  const params = initialValues(workload).map((v, i) => {
    const { shape } = workload.params[i];
    const t = tf.tensor(v, shape);
    return tf.variable(shape.length === 4 ? tf.transpose(t, [2, 3, 1, 0]) : t);
  });
  const momenta = params.map((p) => tf.variable(tf.zerosLike(p)));
  const data = batches(workload).map(({ x, y }) => {
    const t = tf.tensor(x, [workload.batch, ...workload.input]);
    return { x: image ? toNhwc(t) : t, y: tf.oneHot(tf.tensor1d(y, 'int32'), workload.classes).toFloat() };
  });
  const forward = workload.kind === 'mlp' ? mlp : resnet;
  const loss = ({ x, y }) => {
    const logits = forward(workload, params, x);
    const m = logits.max(1, true);
    const logSum = logits.sub(m).exp().sum(1, true).log().add(m);
    return logSum.sub(logits).mul(y).sum(1).mean();
  };
  const { lr, momentum, wd } = workload.opt;
  let i = 0;
  return {
    async step() {
      await tf.setBackend(backend);
      const value = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => loss(data[i++ % data.length]), params);
        params.forEach((p, k) => {
          const m = momenta[k].mul(momentum).add(grads[p.name].add(p.mul(wd)));
          momenta[k].assign(m);
          p.assign(p.sub(m.mul(lr)));
        });
        return value;
      });
      const [v] = await value.data();
      value.dispose();
      return v;
    },
    async end() {
      tf.disposeVariables();
    },
  };
}

function mlp(w, params, x) {
  let y = x;
  for (let i = 0; i < w.layers; i++) {
    y = y.matMul(params[2 * i]).add(params[2 * i + 1]);
    if (i < w.layers - 1) y = y.relu();
  }
  return y;
}

function resnet(w, params, x) {
  let at = 0;
  const next = () => params[at++];
  const conv = (v, stride, pad) => v.conv2d(next(), stride, pad);
  const bn = (v) => {
    const { mean, variance } = tf.moments(v, [0, 1, 2]);
    const scale = next();
    const shift = next();
    return v.sub(mean).mul(variance.add(1e-5).rsqrt()).mul(scale).add(shift);
  };
  // One pixel on every side, also at stride 2.
  const padded = (v) =>
    v.pad([
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
  let y = bn(conv(padded(x), 1, 'valid')).relu();
  for (const b of w.blocks) {
    let z = bn(conv(padded(y), b.stride, 'valid')).relu();
    z = bn(conv(padded(z), 1, 'valid'));
    if (b.proj) y = bn(conv(y, b.stride, 'valid'));
    y = z.add(y).relu();
  }
  return y.mean([1, 2]).matMul(next()).add(next());
}
