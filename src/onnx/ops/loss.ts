// Losses by label, and one step of optimizers.

import * as h from '../../../compiler/ops/index.ts';
import { grad } from '../../../compiler/passes/grad.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op, type Results } from '../operator.ts';
import {
  asFloat,
  asInt,
  type B,
  type F,
  filled,
  type I,
  range,
  scalarOf,
  shapeOf,
  type T,
} from './common.ts';

/** −weight · log probability of the label, of those labels that are not ignored; reduced as the node says. */
function likelihood(c: Call, logp: T, labels: T, weights: T | undefined): T {
  const target = asInt(labels) as T;
  const reduction = c.text('reduction', 'mean');
  const ignored = c.given('ignore_index') ? (h.eq(target, c.int('ignore_index')) as B) : null;
  const safe = ignored === null ? target : (h.where(ignored, filled(target, 0), target) as T);
  const picked = h.squeeze(h.gatherElements(logp, h.unsqueeze(safe, 1) as I, 1) as T, [1]) as T;
  const weight = weights ? (h.gather(weights, safe as I, 0) as T) : (h.full([...shapeOf(picked)], 1) as T);
  const used = ignored === null ? weight : (h.where(ignored, filled(weight, 0), weight) as T);
  const losses = h.neg(h.mul(picked, used) as F) as T;
  if (reduction === 'none') return losses;
  const total = h.sum(losses) as T;
  if (reduction === 'sum') return total;
  if (reduction !== 'mean') c.refuse(`reduction '${reduction}' is not known`, "use 'mean', 'sum' or 'none'");
  return h.div(total, h.sum(used) as T) as T;
}

/** Operands of an optimizer: rate, count, then n tensors of each kind. */
function kinds(c: Call, each: number): T[][] {
  const lists = c.rest(2);
  const n = lists.length / each;
  return range(n).map((i) => range(each).map((k) => lists[k * n + i]!));
}

/** Results by kind: all new tensors, then all new states. */
function byKind(results: readonly (readonly T[])[]): T[] {
  return range(results[0]?.length ?? 0).flatMap((k) => results.map((r) => r[k]!));
}

const times = (x: T, y: T | number): T => h.mul(x, y) as T;
const plus = (x: T, y: T): T => h.add(x, y) as T;
const minus = (x: T, y: T): T => h.sub(x, y) as T;

function adagrad(c: Call): Results {
  const [rate, count] = [scalarOf(c.x(0)), asFloat(scalarOf(c.x(1)))];
  const [norm, decay, epsilon] = [
    c.float('norm_coefficient', 0),
    c.float('decay_factor', 0),
    c.float('epsilon', 1e-6),
  ];
  const r = h.div(rate, h.add(times(count, decay), 1) as T) as T;
  return byKind(
    kinds(c, 3).map(([x, g, state]) => {
      const slope = plus(times(x!, norm), g!);
      const next = plus(state!, times(slope, slope));
      const size = h.add(h.sqrt(next as F) as T, epsilon) as T;
      return [minus(x!, h.div(times(slope, r), size) as T), next];
    }),
  );
}

function adam(c: Call): Results {
  const [rate, count] = [scalarOf(c.x(0)), asFloat(scalarOf(c.x(1)))];
  const [alpha, beta, epsilon] = [c.float('alpha', 0.9), c.float('beta', 0.999), c.float('epsilon', 1e-6)];
  const [norm, post] = [c.float('norm_coefficient', 0), c.float('norm_coefficient_post', 0)];
  const left = (base: number): T => h.sub(1, h.pow(h.full([], base) as F, count) as T) as T;
  const adjusted = h.div(times(rate, h.sqrt(left(beta) as F) as T), left(alpha)) as T;
  const r = h.where(h.gt(count, 0) as B, adjusted, rate) as T;
  return byKind(
    kinds(c, 4).map(([x, g, first, second]) => {
      const slope = plus(times(x!, norm), g!);
      const v = plus(times(first!, alpha), times(slope, 1 - alpha));
      const s = plus(times(second!, beta), times(times(slope, slope), 1 - beta));
      const size = h.add(h.sqrt(s as F) as T, epsilon) as T;
      return [times(minus(x!, h.div(times(v, r), size) as T), 1 - post), v, s];
    }),
  );
}

function momentum(c: Call): Results {
  const [rate, count] = [scalarOf(c.x(0)), asInt(scalarOf(c.x(1))) as T];
  const [alpha, beta, norm] = [c.float('alpha'), c.float('beta'), c.float('norm_coefficient')];
  const mode = c.text('mode');
  if (mode !== 'standard' && mode !== 'nesterov')
    c.refuse(`mode '${mode}' is not known`, "use 'standard' or 'nesterov'");
  const share = h.where(h.gt(count, 0) as B, h.full([], beta) as T, h.full([], 1) as T) as T;
  return byKind(
    kinds(c, 3).map(([x, g, state]) => {
      const slope = plus(times(x!, norm), g!);
      const v = plus(times(state!, alpha), times(slope, share));
      const step = mode === 'nesterov' ? plus(slope, times(v, alpha)) : v;
      return [minus(x!, times(step, rate)), v];
    }),
  );
}

/** Derivatives of a value by others, all named in attributes: what Heddle's own gradient gives. */
function gradient(c: Call): Results {
  const value = (name: string): T => {
    const v = c.site.lookup(name);
    return v === undefined
      ? c.refuse(`there is no value '${name}'`, 'name values that stand before the node')
      : v.node;
  };
  const xs = c.texts('xs') ?? [];
  const y = value(c.text('y'));
  c.ignore('zs');
  for (const [i, name] of xs.entries()) {
    if (c.node.input[i] !== name) {
      c.refuse(
        `it takes the derivative at '${c.node.input[i]}' and not at '${name}'`,
        'pass the values that xs names',
      );
    }
  }
  const wrt = xs.map(value);
  return grad(y, wrt, { cotangent: filled(y, 1) }) as T[];
}

const preview = 'ai.onnx.preview.training';

export const lossOps: readonly OnnxOp[] = [
  op('NegativeLogLikelihoodLoss', {}, (c) => likelihood(c, c.x(0), c.x(1), c.maybe(2))),
  op('SoftmaxCrossEntropyLoss', {}, (c) => {
    const logp = h.logSoftmax(c.x(0) as F, 1) as T;
    return [likelihood(c, logp, c.x(1), c.maybe(2)), logp];
  }),
  op('Adagrad', { domain: preview }, adagrad),
  op('Adam', { domain: preview }, adam),
  op('Momentum', { domain: preview }, momentum),
  op('Gradient', { domain: preview, limits: 'only at the values that xs names' }, gradient),
];
