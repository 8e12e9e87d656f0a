// Drives Heddle with the judge's requests: graphs by name, training runs, ONNX models. An op that Heddle does not have
// throws `unsupported` by its name; nothing is imitated here that a user of the library could not call.

import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { Tensor } from '../../src/index.ts';
import * as h from '../../src/index.ts';
import { type Attributes, applyOp } from './ops.ts';
import { makeOptimizer } from './rules.ts';
import { unsupported } from './unsupported.ts';

export interface JudgeTensor {
  readonly dtype: 'float32' | 'int32' | 'int64' | 'bool';
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | BigInt64Array;
}

interface JudgeNode {
  readonly op: string;
  readonly in: readonly string[];
  readonly out: readonly string[];
  readonly attrs: Attributes;
}

type Tensors = Record<string, JudgeTensor>;

const options = {
  target: (process.env['HEDDLE_TARGET'] ?? 'wasm') as 'wasm' | 'js' | 'reference',
  threads: Number(process.env['HEDDLE_THREADS'] ?? 1),
};

const dtypeOf = { float32: 'f32', int32: 'i32', int64: 'i32', bool: 'bool' } as const;
const judgeDtype = { f32: 'float32', i32: 'int32', u32: 'int32', bool: 'bool', u8: 'int32' } as const;

function spec(t: JudgeTensor): ReturnType<typeof h.tensor> {
  return h.tensor([...t.shape], dtypeOf[t.dtype]);
}

function feed(t: JudgeTensor): Float32Array | Int32Array | Uint8Array {
  if (t.dtype === 'float32') return Float32Array.from(t.data as ArrayLike<number>);
  if (t.dtype === 'bool') return Uint8Array.from(t.data as ArrayLike<number>);
  return Int32Array.from(Array.from(t.data as ArrayLike<number | bigint>, Number));
}

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  f: (a: A, name: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([k, v]) => [k, f(v, k)]));
}

/** Runs the nodes on symbolic values; returns every named value. */
function build(nodes: readonly JudgeNode[], values: Record<string, Tensor>): Record<string, Tensor> {
  const all = { ...values };
  for (const n of nodes) {
    const results = applyOp(
      n.op,
      n.in.map((name) => all[name]!),
      n.attrs,
    );
    n.out.forEach((name, i) => {
      all[name] = results[i]!;
    });
  }
  return all;
}

async function evaluate(
  inputs: Tensors,
  make: (x: Record<string, Tensor>) => Record<string, Tensor>,
): Promise<Tensors> {
  if (process.env['HEDDLE_TARGET'] === 'exact') return interpret(inputs, make);
  const program = h.program({ run: h.entry(mapValues(inputs, spec), make) }, options);
  try {
    const results = await program.run('run', mapValues(inputs, feed));
    return mapValues(results, (r) => ({ dtype: judgeDtype[r.dtype], shape: r.shape, data: r.data }));
  } finally {
    await program.dispose();
  }
}

/** By the interpreter in float64, which rounds nothing. */
function interpret(inputs: Tensors, make: (x: Record<string, Tensor>) => Record<string, Tensor>): Tensors {
  const nodes = mapValues(inputs, (t, name) => h.input(name, [...t.shape], dtypeOf[t.dtype]) as Tensor);
  const outputs = Object.entries(make(nodes)).map(([name, node]) => ({ name, node }));
  const graph = makeGraph('judged', { inputs: Object.values(nodes), outputs });
  const values = mapValues(inputs, (t, name) => ({
    type: nodes[name]!.type,
    data: Float64Array.from(feed(t)),
  }));
  const results = interpretGraph(graph, { inputs: values }, { mode: 'f64' }).outputs;
  return mapValues(results, ({ type, data }) => ({ dtype: judgeDtype[type.dtype], shape: type.shape, data }));
}

export interface EvalRequest {
  readonly kind: 'vjp' | 'hvp' | 'jvp';
  readonly inputs: Tensors;
  readonly nodes: readonly JudgeNode[];
  readonly outputs: readonly string[];
  readonly diff: readonly string[];
  readonly cotangents?: Tensors;
  readonly tangents?: Tensors;
}

/** Values, and gradients, Hessian- or Jacobian-vector products of a graph. */
export async function evalGraph(request: EvalRequest): Promise<Record<string, Tensors>> {
  const { kind, outputs, diff } = request;
  const fed: Tensors = {
    ...request.inputs,
    ...prefixed('cotangent ', request.cotangents ?? {}),
    ...prefixed('tangent ', request.tangents ?? {}),
  };
  const results = await evaluate(fed, (x) => {
    const all = build(request.nodes, x);
    const out: Record<string, Tensor> = Object.fromEntries(outputs.map((o) => [`output ${o}`, all[o]!]));
    const wrt = diff.map((d) => x[d]!);
    const floats = outputs.filter((o) => all[o]!.type.dtype === 'f32');
    if (kind === 'jvp') {
      const js = h.jvp(
        floats.map((o) => all[o]!),
        wrt,
        diff.map((d) => x[`tangent ${d}`]!),
      );
      floats.forEach((o, i) => {
        out[`jvp ${o}`] = js[i]!;
      });
      return out;
    }
    const weighted = floats
      .filter((o) => x[`cotangent ${o}`])
      .map((o): Tensor => h.sum(h.mul(all[o]!, x[`cotangent ${o}`]!)));
    // Without an output that can be differentiated, all gradients are zeros.
    const loss = weighted.length === 0 ? h.zeros([]) : weighted.reduce((a, b) => h.add(a, b));
    const grads = h.grad(loss, wrt);
    diff.forEach((d, i) => {
      out[`grad ${d}`] = grads[i]!;
    });
    if (kind === 'hvp') {
      const along = diff
        .map((d, i) => h.sum(h.mul(grads[i]!, x[`tangent ${d}`]!)))
        .reduce((a, b) => h.add(a, b));
      h.grad(along, wrt).forEach((g, i) => {
        out[`hvp ${diff[i]!}`] = g;
      });
    }
    return out;
  });
  return {
    outputs: withPrefix('output ', results),
    grads: withPrefix('grad ', results),
    hvps: withPrefix('hvp ', results),
    jvps: withPrefix('jvp ', results),
  };
}

function prefixed(prefix: string, t: Tensors): Tensors {
  return Object.fromEntries(Object.entries(t).map(([k, v]) => [prefix + k, v]));
}

function withPrefix(prefix: string, t: Tensors): Tensors {
  return Object.fromEntries(
    Object.entries(t)
      .filter(([k]) => k.startsWith(prefix))
      .map(([k, v]) => [k.slice(prefix.length), v]),
  );
}

export interface TrainRequest {
  readonly nodes: readonly JudgeNode[];
  readonly loss: string;
  readonly params: Tensors;
  readonly batches: readonly Tensors[];
  readonly rule: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly keepEveryStep: boolean;
}

/** Trains from given initial values; the loss before each update, and the parameters after it. */
export async function train(request: TrainRequest): Promise<{ losses: number[]; params: Tensors[] }> {
  const names = Object.keys(request.params);
  const variables = mapValues(request.params, (p, name) =>
    h.variable(name, [...p.shape], h.initializers.fromArray(feed(p) as Float32Array)),
  );
  const { optimizer, rateAt } = makeOptimizer(request.rule, request.settings);
  const program = h.program(
    {
      step: h.entry(
        mapValues(request.batches[0]!, spec),
        (x, ctx) => {
          const all = build(request.nodes, { ...x, ...variables });
          const loss = all[request.loss]!;
          const wrt = names.map((n) => variables[n]!);
          optimizer.update(wrt, h.grad(loss, wrt), ctx);
          return { loss };
        },
        { training: true },
      ),
    },
    options,
  );
  const losses: number[] = [];
  const params: Tensors[] = [];
  try {
    for (const [t, batch] of request.batches.entries()) {
      if (rateAt) {
        if (t === 0) await program.compile('step');
        program.set('optimizer/learningRate', [rateAt(t + 1)]);
      }
      const { loss } = await program.run('step', mapValues(batch, feed));
      losses.push(loss!.data[0]!);
      if (!request.keepEveryStep && t + 1 < request.batches.length) continue;
      params.push(
        Object.fromEntries(
          names.map((n) => {
            const v = program.get(n);
            return [n, { dtype: 'float32', shape: v.shape, data: v.data } as JudgeTensor];
          }),
        ),
      );
    }
    return { losses, params };
  } finally {
    await program.dispose();
  }
}

export interface OnnxRequest {
  readonly model: Uint8Array;
  readonly inputs: Tensors;
  readonly outputs: readonly string[];
}

/** The values of a model's outputs. Inputs that decide shapes are given as constants, as a user would do it. */
export async function runOnnx(request: OnnxRequest): Promise<Tensors> {
  const results = await withConstants(request.inputs, async (constants, fed) => {
    const net = h.importOnnx(request.model, { constants, shapes: shapesOf(fed) });
    const program = h.program({ run: h.entry(net.inputs, net.build) }, options);
    try {
      return await program.run('run', mapValues(fed, feed));
    } finally {
      await program.dispose();
    }
  });
  return Object.fromEntries(request.outputs.map((name) => [name, judged(results[name]!)]));
}

/** Runs with the constants that the importer asks for by name; what it does not import counts as unsupported. */
async function withConstants<R>(
  inputs: Tensors,
  run: (constants: Record<string, h.OnnxValues>, fed: Tensors) => Promise<R>,
): Promise<R> {
  const known = new Set<string>();
  for (;;) {
    const split = (isKnown: boolean): Tensors =>
      Object.fromEntries(Object.entries(inputs).filter(([name]) => known.has(name) === isKnown));
    try {
      const constants = mapValues(split(true), ({ data, shape }) => ({
        data: Array.from<number | bigint>(data),
        shape,
      }));
      return await run(constants, split(false));
    } catch (error) {
      const asked = error instanceof h.OnnxConstantError ? error.inputs.filter((n) => !known.has(n)) : [];
      if (asked.length > 0) {
        for (const name of asked) known.add(name);
        continue;
      }
      const isRefused = error instanceof h.HeddleError && ['HDL0021', 'HDL0022'].includes(error.code);
      throw isRefused ? unsupported(error.message) : error;
    }
  }
}

function shapesOf(inputs: Tensors): Record<string, number[]> {
  return mapValues(inputs, (t) => [...t.shape]);
}

function judged(t: h.RunTensor): JudgeTensor {
  return { dtype: judgeDtype[t.dtype], shape: t.shape, data: t.data };
}

export interface OnnxGradientRequest {
  readonly model: Uint8Array;
  readonly mode: 'eval' | 'train';
  readonly inputs: { readonly x: JudgeTensor };
  readonly labels: JudgeTensor;
}

/** Output, mean cross-entropy with the labels, and its gradients by the input and all weights. */
export async function onnxGradients(
  request: OnnxGradientRequest,
): Promise<{ output: JudgeTensor; loss: number; grads: Tensors }> {
  const net = h.importOnnx(request.model);
  const names = Object.keys(net.variables).filter((n) => net.variables[n]!.attrs['trainable'] === true);
  const [input] = Object.keys(net.inputs) as [string];
  const program = h.program(
    {
      run: h.entry(
        { [input]: net.inputs[input]!, labels: spec(request.labels) },
        (fed, ctx) => {
          const { labels, [input]: x } = fed as Record<string, Tensor>;
          const y = Object.values(net.build({ [input]: x! }, ctx))[0]!;
          const loss = h.losses.softmaxCrossEntropy(y, labels!);
          const grads = h.grad(loss, [x!, ...names.map((n) => net.variables[n]!)]);
          const named = names.map((n, i): [string, Tensor] => [`gradient ${n}`, grads[i + 1]!]);
          return { y, loss, 'gradient x': grads[0]!, ...Object.fromEntries(named) };
        },
        { training: request.mode === 'train' },
      ),
    },
    options,
  );
  try {
    const shaped = { data: feed(request.inputs.x), shape: request.inputs.x.shape };
    const results = await program.run('run', { [input]: shaped, labels: feed(request.labels) });
    const all = mapValues(results as Record<string, h.RunTensor>, judged);
    return {
      output: all['y']!,
      loss: Number(all['loss']!.data[0]),
      grads: withPrefix('gradient ', all),
    };
  } finally {
    await program.dispose();
  }
}
