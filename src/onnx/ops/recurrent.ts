// Recurrent layers, written out step by step. Operands are [time, batch, input], or with `layout` [batch, time, input];
// weights are [directions, gates · hidden, …]. Where a sequence is shorter than the longest, its state stays as it was and
// its outputs are zeros.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op, type Results } from '../operator.ts';
import { asInt, at, type B, type F, filled, part, range, shapeOf, type T } from './common.ts';
import { reverseSequences } from './indexing.ts';
import { hardSigmoid } from './unary.ts';

type Activation = (x: T) => T;

/** By name, with the defaults of alpha and beta where the function has them. */
const activations: Readonly<
  Record<string, readonly [alpha: number | null, beta: number | null, f: (x: T, a: number, b: number) => T]>
> = {
  sigmoid: [null, null, (x) => h.sigmoid(x as F) as T],
  tanh: [null, null, (x) => h.tanh(x as F) as T],
  relu: [null, null, (x) => h.relu(x as F) as T],
  softsign: [null, null, (x) => h.softsign(x as F) as T],
  softplus: [null, null, (x) => h.softplus(x as F) as T],
  affine: [1, 0, (x, a, b) => h.add(h.mul(x, a) as T, b) as T],
  leakyrelu: [0.01, null, (x, a) => h.leakyRelu(x as F, a) as T],
  thresholdedrelu: [1, null, (x, a) => h.where(h.ge(x, a) as B, x, filled(x, 0)) as T],
  scaledtanh: [1, 1, (x, a, b) => h.mul(h.tanh(h.mul(x, b) as F) as T, a) as T],
  hardsigmoid: [0.2, 0.5, (x, a, b) => hardSigmoid(x, a, b)],
  elu: [1, null, (x, a) => h.elu(x as F, a) as T],
};

/** The functions of all directions in order; alphas and betas are dealt out to those that take them. */
function activationsOf(c: Call, defaults: readonly string[], directions: number): Activation[] {
  const names = c.texts('activations') ?? range(directions).flatMap(() => defaults);
  const [alphas, betas] = [c.floats('activation_alpha') ?? [], c.floats('activation_beta') ?? []];
  return names.map((name) => {
    const known = activations[name.toLowerCase()];
    if (known === undefined) {
      return c.refuse(
        `activation '${name}' is not known`,
        `use one of ${Object.keys(activations).join(', ')}`,
      );
    }
    const [alpha, beta, f] = known;
    const a = alpha === null ? 0 : (alphas.shift() ?? alpha);
    const b = beta === null ? 0 : (betas.shift() ?? beta);
    return (x) => f(x, a, b);
  });
}

/** One direction of a layer: weights without their first dimension, and how one step goes. */
interface Cell {
  /** New states from the step's input and the old ones; the first state is the output. */
  readonly step: (x: T, states: readonly T[]) => readonly T[];
}

interface Layer {
  readonly gates: number;
  readonly states: number;
  readonly defaults: readonly string[];
  readonly cell: (c: Call, d: number, f: readonly Activation[], clip: (x: T) => T) => Cell;
}

/** x · wᵀ */
function times(x: T, w: T): T {
  return h.matmul(x, h.transpose(w, [1, 0]) as T) as T;
}

const plus = (...xs: T[]): T => xs.reduce((a, b) => h.add(a, b) as T);

/** Rows [k · n, (k + 1) · n) of weights or biases: those of one gate. */
function gate(w: T, k: number, n: number): T {
  return part(w, 0, k * n, (k + 1) * n);
}

/** Part d of an operand that may be missing. */
function direction(c: Call, i: number, d: number): T | undefined {
  return c.has(i) ? at(c.x(i), 0, d) : undefined;
}

function weightsOf(c: Call, d: number, gates: number): { w: T; r: T; wb: T; rb: T; n: number } {
  const [w, r] = [at(c.x(1), 0, d), at(c.x(2), 0, d)];
  const n = shapeOf(r)[1]!;
  const b = direction(c, 3, d) ?? (h.full([2 * gates * n], 0) as T);
  return { w, r, wb: part(b, 0, 0, gates * n), rb: part(b, 0, gates * n, 2 * gates * n), n };
}

const simple: Layer = {
  gates: 1,
  states: 1,
  defaults: ['Tanh'],
  cell(c, d, [f], clip) {
    const { w, r, wb, rb } = weightsOf(c, d, 1);
    return { step: (x, [state]) => [f!(clip(plus(times(x, w), times(state!, r), wb, rb)))] };
  },
};

const gru: Layer = {
  gates: 3,
  states: 1,
  defaults: ['Sigmoid', 'Tanh'],
  cell(c, d, [f, g], clip) {
    const { w, r, wb, rb, n } = weightsOf(c, d, 3);
    const isLinearFirst = c.flag('linear_before_reset');
    const [wh, rh, wbh, rbh] = [gate(w, 2, n), gate(r, 2, n), gate(wb, 2, n), gate(rb, 2, n)];
    return {
      step(x, [state]) {
        const [update, reset] = [0, 1].map((k) =>
          f!(
            clip(plus(times(x, gate(w, k, n)), times(state!, gate(r, k, n)), gate(wb, k, n), gate(rb, k, n))),
          ),
        ) as [T, T];
        const past = isLinearFirst
          ? (h.mul(reset, plus(times(state!, rh), rbh)) as T)
          : plus(times(h.mul(reset, state!) as T, rh), rbh);
        const fresh = g!(clip(plus(times(x, wh), past, wbh)));
        return [plus(h.mul(h.sub(1, update) as T, fresh) as T, h.mul(update, state!) as T)];
      },
    };
  },
};

const lstm: Layer = {
  gates: 4,
  states: 2,
  defaults: ['Sigmoid', 'Tanh', 'Tanh'],
  cell(c, d, [f, g, outer], clip) {
    const { w, r, wb, rb, n } = weightsOf(c, d, 4);
    const peep = direction(c, 7, d);
    const isCoupled = c.flag('input_forget');
    const bias = plus(wb, rb);
    const peeped = (x: T, state: T, k: number): T =>
      peep ? plus(x, h.mul(gate(peep, k, n), state) as T) : x;
    return {
      step(x, [state, cell]) {
        const all = plus(times(x, w), times(state!, r), bias);
        const of = (k: number): T => part(all, 1, k * n, (k + 1) * n);
        const input = f!(clip(peeped(of(0), cell!, 0)));
        const forget = isCoupled ? (h.sub(1, input) as T) : f!(clip(peeped(of(2), cell!, 2)));
        const next = plus(h.mul(forget, cell!) as T, h.mul(input, g!(clip(of(3)))) as T);
        const output = f!(clip(peeped(of(1), next, 1)));
        return [h.mul(output, outer!(next)) as T, next];
      },
    };
  },
};

function recurrent(c: Call, layer: Layer): Results {
  const isBatchFirst = c.flag('layout');
  const x = isBatchFirst ? (h.transpose(c.x(0), [1, 0, 2]) as T) : c.x(0);
  const [time, batch] = shapeOf(x) as [number, number, number];
  const way = c.text('direction', 'forward');
  const count = way === 'bidirectional' ? 2 : 1;
  const hidden = shapeOf(c.x(2))[2]!;
  c.ignore('hidden_size', 'output_sequence');
  const bound = c.given('clip') ? c.float('clip') : 0;
  const clip = (v: T): T => (bound > 0 ? (h.clip(v as F, -bound, bound) as T) : v);
  const functions = activationsOf(c, layer.defaults, count);
  const each = layer.defaults.length;
  const lengths = c.has(4) ? (asInt(c.x(4)) as T) : null;
  const initial = (k: number, d: number): T => {
    const i = 5 + k;
    if (!c.has(i)) return h.full([batch, hidden], 0) as T;
    return at(c.x(i), isBatchFirst ? 1 : 0, d);
  };
  const runs = range(count).map((d) => {
    const isBack = way === 'reverse' || d === 1;
    const flip = (v: T): T => {
      if (!isBack) return v;
      return lengths === null ? (h.flip(v, [0]) as T) : reverseSequences(v, lengths, 0, 1);
    };
    const cell = layer.cell(c, d, functions.slice(d * each, (d + 1) * each), clip);
    const source = flip(x);
    let states: readonly T[] = range(layer.states).map((k) => initial(k, d));
    const outputs: T[] = [];
    for (let t = 0; t < time; t++) {
      const next = cell.step(at(source, 0, t), states);
      const runsOn = lengths === null ? null : (h.reshape(h.gt(lengths, t) as T, [batch, 1]) as B);
      states = runsOn === null ? next : next.map((v, k) => h.where(runsOn, v, states[k]!) as T);
      outputs.push(runsOn === null ? next[0]! : (h.where(runsOn, next[0]!, filled(next[0]!, 0)) as T));
    }
    const all = time > 0 ? (h.stack(outputs, 0) as T) : (h.full([0, batch, hidden], 0) as T);
    return { outputs: flip(all), states };
  });
  const y = h.stack(
    runs.map((r) => r.outputs),
    1,
  ) as T;
  const last = range(layer.states).map(
    (k) =>
      h.stack(
        runs.map((r) => r.states[k]!),
        0,
      ) as T,
  );
  if (!isBatchFirst) return [y, ...last];
  return [h.transpose(y, [2, 0, 1, 3]) as T, ...last.map((v) => h.transpose(v, [1, 0, 2]) as T)];
}

const versions = { 1: 'time first', 14: '`layout`: batch first' };

export const recurrentOps: readonly OnnxOp[] = [
  op('RNN', { versions }, (c) => recurrent(c, simple)),
  op('GRU', { versions: { ...versions, 3: '`linear_before_reset`' } }, (c) => recurrent(c, gru)),
  op('LSTM', { versions }, (c) => recurrent(c, lstm)),
];
