// The same training steps in TensorFlow.js: NHWC, momentum by hand, since its own optimizer has no weight decay.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { batches, initialValues } from '../build/test/support/workloads.js';

// By `require`: its ES modules import each other without file extensions, which Node refuses.
const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
wasm.setWasmPaths(`${join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist')}/`);

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
    return {
      x: image ? toNhwc(t) : t,
      y: tf.cast(tf.oneHot(tf.tensor1d(y, 'int32'), workload.classes), 'float32'),
    };
  });
  const forward = workload.kind === 'mlp' ? mlp : resnet;
  const loss = ({ x, y }) => {
    const logits = forward(workload, params, x);
    const m = tf.max(logits, 1, true);
    const logSum = tf.add(tf.log(tf.sum(tf.exp(tf.sub(logits, m)), 1, true)), m);
    return tf.mean(tf.sum(tf.mul(tf.sub(logSum, logits), y), 1));
  };
  const { lr, momentum, wd } = workload.opt;
  let i = 0;
  return {
    async step() {
      await tf.setBackend(backend);
      const value = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => loss(data[i++ % data.length]), params);
        params.forEach((p, k) => {
          const slope = tf.add(grads[p.name], tf.mul(p, wd));
          const m = tf.add(tf.mul(momenta[k], momentum), slope);
          momenta[k].assign(m);
          p.assign(tf.sub(p, tf.mul(m, lr)));
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
    y = tf.add(tf.matMul(y, params[2 * i]), params[2 * i + 1]);
    if (i < w.layers - 1) y = tf.relu(y);
  }
  return y;
}

function resnet(w, params, x) {
  let at = 0;
  const next = () => params[at++];
  const conv = (v, stride, pad) => tf.conv2d(v, next(), stride, pad);
  const bn = (v) => {
    const { mean, variance } = tf.moments(v, [0, 1, 2]);
    const scale = next();
    const shift = next();
    const normal = tf.mul(tf.sub(v, mean), tf.rsqrt(tf.add(variance, 1e-5)));
    return tf.add(tf.mul(normal, scale), shift);
  };
  // One pixel on every side, also at stride 2.
  const padded = (v) =>
    tf.pad(v, [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]);
  let y = tf.relu(bn(conv(padded(x), 1, 'valid')));
  for (const b of w.blocks) {
    let z = tf.relu(bn(conv(padded(y), b.stride, 'valid')));
    z = bn(conv(padded(z), 1, 'valid'));
    if (b.proj) y = bn(conv(y, b.stride, 'valid'));
    y = tf.relu(tf.add(z, y));
  }
  return tf.add(tf.matMul(tf.mean(y, [1, 2]), next()), next());
}
