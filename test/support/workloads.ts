// Reference workloads: small nets with fixed parameters and data, whose losses other systems have computed. The generator
// is a linear congruential one, so that every system can draw the same numbers; see `draw`.

import type { Tensor } from '../../src/index.ts';
import * as h from '../../src/index.ts';

export interface Workload {
  readonly kind: 'mlp' | 'lenet' | 'resnet' | 'chain' | 'transformer';
  readonly batch: number;
  readonly input: readonly number[];
  readonly classes: number;
  readonly params: readonly {
    name: string;
    shape: readonly number[];
    init: 'he' | 'zero' | 'one';
    fan?: number;
  }[];
  readonly opt?: { type: 'sgd' | 'adam'; lr: number; momentum: number; wd: number };
  readonly layers?: number;
  readonly blocks?: readonly { name: string; stride: number; proj: boolean; c: number }[];
  readonly infer?: boolean;
  readonly heads?: number;
  readonly n?: number;
  readonly a?: number;
  readonly b?: number;
  readonly c?: number;
}

/** Batches that a workload cycles through. */
export const batchCount = 8;

/** n numbers from a seed: s ← 1664525 s + 1013904223 (mod 2³²), u = (s >> 8) / 2²⁴, mapped by f and rounded to f32. */
export function draw(seed: number, n: number, f: (u: number) => number): Float32Array {
  let s = (Math.imul(seed, 2654435761) + 12345) >>> 0;
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    out[i] = f((s >>> 8) / 16777216);
  }
  return out;
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function initialValues(w: Workload): Float32Array[] {
  return w.params.map((p, i) => {
    const n = count(p.shape);
    if (p.init !== 'he') return new Float32Array(n).fill(p.init === 'one' ? 1 : 0);
    const bound = Math.sqrt(6 / p.fan!);
    return draw(100 + i, n, (u) => (2 * u - 1) * bound);
  });
}

export interface Batch {
  readonly x: Float32Array;
  /** Class numbers, or the target of a regression. */
  readonly y: Int32Array | Float32Array;
}

export function batches(w: Workload): Batch[] {
  const inputs = w.batch * count(w.input);
  return Array.from({ length: batchCount }, (_, j) => ({
    x: draw(1000 + j, inputs, (u) => 2 * u - 1),
    y:
      w.kind === 'transformer'
        ? draw(2000 + j, inputs, (u) => 2 * u - 1)
        : Int32Array.from(draw(2000 + j, w.batch, (u) => Math.floor(u * w.classes))),
  }));
}

/** Running mean and variance of batch norm number i, for inference. */
export function runningStatistics(i: number, channels: number): [Float32Array, Float32Array] {
  return [draw(3000 + i, channels, (u) => (2 * u - 1) * 0.1), draw(4000 + i, channels, (u) => 0.5 + u)];
}

type F = h.Floats;
type Params = () => F;

/** Batch statistics over all axes but 1, or given ones. */
function batchNorm(x: F, scale: F, shift: F, given?: readonly [F, F]): F {
  const along = (v: F): F => h.reshape(v, [1, x.type.shape[1]!, 1, 1]);
  const mean = given ? given[0] : h.mean(x, [0, 2, 3]);
  const centred = h.sub(x, along(mean));
  const variance = given ? given[1] : h.mean(h.square(centred), [0, 2, 3]);
  return h.add(h.mul(h.mul(centred, along(h.rsqrt(h.add(variance, 1e-5)))), along(scale)), along(shift));
}

function resnet(w: Workload, x: F, next: Params, statistics: (() => readonly [F, F]) | null): F {
  const conv = (v: F, strides: number, padding: number): F => h.conv2d(v, next(), { strides, padding });
  const bn = (v: F): F => batchNorm(v, next(), next(), statistics?.());
  let y: F = h.relu(bn(conv(x, 1, 1)));
  for (const block of w.blocks!) {
    let z: F = h.relu(bn(conv(y, block.stride, 1)));
    z = bn(conv(z, 1, 1));
    if (block.proj) y = bn(conv(y, block.stride, 0));
    y = h.relu(h.add(z, y));
  }
  return h.add(h.matmul(h.mean(y, [2, 3]), next()), next());
}

function lenet(x: F, next: Params): F {
  const conv = (v: F): F => {
    const y = h.conv2d(v, next(), { padding: 2 });
    const b = next();
    return h.maxPool2d(h.relu(h.add(y, h.reshape(b, [1, b.type.shape[0]!, 1, 1]))), { kernel: 2 });
  };
  return h.add(h.matmul(h.flatten(conv(conv(x))), next()), next());
}

function mlp(w: Workload, x: F, next: Params): F {
  let y = x;
  for (let i = 0; i < w.layers!; i++) {
    y = h.add(h.matmul(y, next()), next());
    if (i < w.layers! - 1) y = h.relu(y);
  }
  return y;
}

/** Pre-norm transformer block: x += O(attention(LN x)); x += F2(relu(F1(LN x))). */
function transformer(w: Workload, x: F, next: Params): F {
  const [batch, sequence, d] = x.type.shape as [number, number, number];
  const heads = w.heads!;
  const dense = (v: F): F => h.add(h.matmul(v, next()), next());
  const norm = (v: F): F => {
    const centred = h.sub(v, h.mean(v, [2], { keepDims: true }));
    const y = h.mul(centred, h.rsqrt(h.add(h.mean(h.square(centred), [2], { keepDims: true }), 1e-5)));
    return h.add(h.mul(y, next()), next());
  };
  const split = (v: F): F => h.transpose(h.reshape(v, [batch, sequence, heads, d / heads]), [0, 2, 1, 3]);
  const n1 = norm(x);
  const [q, k, v] = [split(dense(n1)), split(dense(n1)), split(dense(n1))] as const;
  const scores = h.mul(h.matmul(q, h.transpose(k, [0, 1, 3, 2])), 1 / Math.sqrt(d / heads));
  const mixed = h.matmul(h.softmax(scores, -1), v);
  const y = h.add(x, dense(h.reshape(h.transpose(mixed, [0, 2, 1, 3]), [batch, sequence, d])));
  return h.add(y, dense(h.relu(dense(norm(y)))));
}

/** The training step of a workload as a program with one entry point, `train`: inputs x, y; output loss. */
export function trainingProgram(w: Workload, options: h.ProgramOptions): h.Program {
  const values = initialValues(w);
  const params = w.params.map((p, i) =>
    h.variable(p.name, [...p.shape], h.initializers.fromArray(values[i]!)),
  );
  const o = w.opt!;
  const optimizer =
    o.type === 'adam'
      ? h.optimizers.adam({ learningRate: o.lr })
      : h.optimizers.sgd({ learningRate: o.lr, momentum: o.momentum, weightDecay: o.wd });
  const labels = w.kind === 'transformer' ? h.tensor([w.batch, ...w.input]) : h.tensor([w.batch], 'i32');
  return h.program(
    {
      train: h.entry(
        { x: h.tensor([w.batch, ...w.input]), y: labels },
        ({ x, y }: Record<string, Tensor>, ctx: h.Context) => {
          const loss = lossOf(w, params, x!, y!);
          optimizer.update(params, h.grad(loss, params), ctx);
          return { loss };
        },
        { training: true },
      ),
    },
    options,
  );
}

function lossOf(w: Workload, params: readonly F[], input: Tensor, y: Tensor): F {
  const x = input as F;
  const next = takeInTurn(params);
  switch (w.kind) {
    case 'mlp':
      return h.losses.softmaxCrossEntropy(mlp(w, x, next), y);
    case 'lenet':
      return h.losses.softmaxCrossEntropy(lenet(x, next), y);
    case 'resnet':
      return h.losses.softmaxCrossEntropy(resnet(w, x, next, null), y);
    case 'transformer':
      return h.losses.meanSquaredError(transformer(w, x, next), y);
    default:
      throw new Error(`${w.kind} is not trained`);
  }
}

/** The logits of a residual net with given batch-norm statistics, as a program with one entry point, `predict`. */
export function inferenceProgram(w: Workload, options: h.ProgramOptions): h.Program {
  const values = initialValues(w);
  const params = w.params.map((p, i) =>
    h.variable(p.name, [...p.shape], h.initializers.fromArray(values[i]!)),
  );
  const statistics = w.params
    .filter((p) => p.name.endsWith('.g'))
    .map((p, i) => {
      const [mean, variance] = runningStatistics(i, p.shape[0]!);
      const make = (name: string, data: Float32Array): F =>
        h.variable(`${p.name}.${name}`, [...p.shape], h.initializers.fromArray(data), { trainable: false });
      return [make('mean', mean), make('variance', variance)] as const;
    });
  return h.program(
    {
      predict: h.entry({ x: h.tensor([w.batch, ...w.input]) }, ({ x }: Record<string, Tensor>) => ({
        logits: resnet(w, x as F, takeInTurn(params), takeInTurn(statistics)),
      })),
    },
    options,
  );
}

/** y = tanh(sigmoid(a x + b) x + relu(x − c)) and dx for cotangent 1, as a program with one entry point, `run`. */
export function chainProgram(w: Workload, options: h.ProgramOptions): h.Program {
  return h.program(
    {
      run: h.entry({ x: h.tensor([w.n!]) }, ({ x }: Record<string, Tensor>) => {
        const gate = h.sigmoid(h.add(h.mul(x!, w.a!), w.b!));
        const y = h.tanh(h.add(h.mul(gate, x!), h.relu(h.sub(x!, w.c!))));
        return { y, dx: h.grad(h.sum(y), [x!])[0]! };
      }),
    },
    options,
  );
}

/** One function of n elements as a program with one entry point, `run`. */
export function elementwiseProgram(
  name: 'tanh' | 'sigmoid',
  n: number,
  options: h.ProgramOptions,
): h.Program {
  const apply = { tanh: h.tanh, sigmoid: h.sigmoid }[name];
  const entry = h.entry({ x: h.tensor([n]) }, ({ x }: Record<string, Tensor>) => ({ y: apply(x!) }));
  return h.program({ run: entry }, options);
}

function takeInTurn<T>(list: readonly T[]): () => T {
  let i = 0;
  return () => list[i++]!;
}
