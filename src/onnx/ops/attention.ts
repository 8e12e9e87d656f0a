// Attention and what stands around it in language models.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op, type Results } from '../operator.ts';
import { asInt, at, type B, type F, filled, fromStart, part, rankOf, shapeOf, type T } from './common.ts';
import { castTo } from './create.ts';
import { swish } from './unary.ts';

const infinity = Number.NEGATIVE_INFINITY;

/** [batch, time, heads · size] → [batch, heads, time, size]; values of four dimensions stay. */
function heads(x: T, count: number): T {
  if (rankOf(x) === 4) return x;
  const [batch, time, width] = shapeOf(x) as [number, number, number];
  return h.transpose(h.reshape(x, [batch, time, count, width / count]) as T, [0, 2, 1, 3]) as T;
}

function joined(x: T): T {
  const [batch, count, time, size] = shapeOf(x) as [number, number, number, number];
  return h.reshape(h.transpose(x, [0, 2, 1, 3]) as T, [batch, time, count * size]) as T;
}

/** Each of the heads as often as queries share it. */
function shared(x: T, queries: number): T {
  const [batch, count, time, size] = shapeOf(x) as [number, number, number, number];
  if (count === queries) return x;
  const times = queries / count;
  const wide = h.broadcastTo(h.unsqueeze(x, 2) as T, [batch, count, times, time, size]) as T;
  return h.reshape(wide, [batch, queries, time, size]) as T;
}

/** Softmax along the last axis; rows of −∞ alone become zeros. */
function softmaxOrZero(x: T): T {
  const top = h.max(x, [-1], { keepDims: true }) as T;
  const isEmpty = h.eq(top, infinity) as B;
  const safe = h.where(isEmpty, filled(x, 0), x) as T;
  return h.where(isEmpty, filled(x, 0), h.softmax(safe as F, -1) as T) as T;
}

const swapLast = (x: T): T => h.transpose(x, [0, 1, 3, 2]) as T;

function attention(c: Call): Results {
  const is3D = rankOf(c.x(0)) === 3;
  const [qHeads, kvHeads] = is3D ? [c.int('q_num_heads'), c.int('kv_num_heads')] : [0, 0];
  c.ignore('q_num_heads', 'kv_num_heads');
  const q = heads(c.x(0), qHeads);
  const [key, value] = [heads(c.x(1), kvHeads), heads(c.x(2), kvHeads)];
  const keys = c.has(4) ? (h.concat([c.x(4), key], 2) as T) : key;
  const values = c.has(5) ? (h.concat([c.x(5), value], 2) as T) : value;
  const [batch, queries, length, size] = shapeOf(q) as [number, number, number, number];
  const total = shapeOf(keys)[2]!;
  const root = Math.sqrt(c.given('scale') ? c.float('scale') : 1 / Math.sqrt(size));
  const raw = h.matmul(h.mul(q, root) as T, swapLast(h.mul(shared(keys, queries), root) as T)) as T;
  const cap = c.float('softcap', 0);
  const capped = cap > 0 ? (h.mul(h.tanh(h.div(raw, cap) as F) as T, cap) as T) : raw;
  const scores = masked(c, capped, [batch, queries, length, total]);
  c.ignore('softmax_precision');
  const probabilities = softmaxOrZero(scores);
  const y = h.matmul(probabilities, shared(values, queries)) as T;
  const modes = [raw, capped, scores, probabilities];
  const mode = c.int('qk_matmul_output_mode', 0);
  return [
    is3D ? joined(y) : y,
    keys,
    values,
    modes[mode] ?? c.refuse(`qk_matmul_output_mode ${mode} is not known`, 'use 0 to 3'),
  ];
}

/** Scores with −∞ where the mask, causality or the window forbids, or with what a float mask adds. */
function masked(c: Call, scores: T, shape: readonly [number, number, number, number]): T {
  const [batch, , length, total] = shape;
  let y = scores;
  const forbid = (isAllowed: T): void => {
    y = h.where(h.broadcastTo(isAllowed, [...shape]) as B, y, filled(y, infinity)) as T;
  };
  if (c.has(3)) {
    const mask = c.x(3);
    const missing = total - shapeOf(mask).at(-1)!;
    const isBool = mask.type.dtype === 'bool';
    const widths = shapeOf(mask).map((_, d): [number, number] => [0, d === rankOf(mask) - 1 ? missing : 0]);
    const whole = missing > 0 ? (h.pad(mask, widths, isBool ? 0 : infinity) as T) : mask;
    if (isBool) forbid(whole);
    else y = h.add(y, whole) as T;
  }
  const valid = c.has(6) ? (h.reshape(asInt(c.x(6)), [batch, 1, 1, 1]) as T) : null;
  const column = h.iota([1, 1, length, total], 3) as T;
  const row = h.iota([1, 1, length, total], 2) as T;
  if (valid !== null) forbid(h.lt(column, valid) as T);
  // Where the block of queries begins among the keys.
  const past = c.has(4) ? shapeOf(c.x(4))[2]! : 0;
  const offset = valid !== null && !c.has(4) ? (h.sub(valid, length) as T) : past;
  const place = h.add(row, offset as T) as T;
  if (c.flag('is_causal')) forbid(h.le(column, place) as T);
  const [left, right] = [c.int('left_window_size', -1), c.int('right_window_size', -1)];
  if (left >= 0) forbid(h.le(h.sub(place, column) as T, left) as T);
  if (right >= 0) forbid(h.le(h.sub(column, place) as T, right) as T);
  return y;
}

function flexAttention(c: Call): Results {
  const [q, k, v] = [c.x(0), c.x(1), c.x(2)];
  const [, queries, , size] = shapeOf(q) as [number, number, number, number];
  const scale = c.given('scale') ? c.float('scale') : 1 / Math.sqrt(size);
  const elem = c.elemOf('softmax_precision', c.elem(0) === 'double' ? 'double' : 'float');
  const changed = (name: string, x: T): T => {
    const graph = c.graph(name);
    return graph === undefined
      ? x
      : c.site.subgraph(graph, [castTo({ node: x, elem: 'float' }, elem)])[0]!.node;
  };
  const scores = changed('score_mod', h.mul(h.matmul(q, swapLast(shared(k, queries))) as T, scale) as T);
  const probabilities = changed('prob_mod', h.softmax(scores as F, -1) as T);
  return h.matmul(probabilities, shared(v, queries)) as T;
}

function rotary(c: Call): T {
  const x = c.x(0);
  const is4D = rankOf(x) === 4;
  const count = c.int('num_heads', 0);
  const y = is4D ? x : heads(x, count);
  const [batch, , time, size] = shapeOf(y) as [number, number, number, number];
  const width = c.int('rotary_embedding_dim', 0) || size;
  const half = width / 2;
  const cache = (i: number): T => {
    const table = c.x(i);
    const rows = c.has(3) ? (h.gather(table, fromStart(c, c.x(3), shapeOf(table)[0]!), 0) as T) : table;
    return h.reshape(h.broadcastTo(rows, [batch, time, half]) as T, [batch, 1, time, half]) as T;
  };
  const [cos, sin] = [cache(1), cache(2)];
  const turned = part(y, 3, 0, width);
  const isPaired = c.flag('interleaved');
  const pairs = isPaired ? (h.reshape(turned, [...shapeOf(turned).slice(0, 3), half, 2]) as T) : turned;
  const [a, b] = isPaired
    ? [at(pairs, 4, 0), at(pairs, 4, 1)]
    : [part(turned, 3, 0, half), part(turned, 3, half, width)];
  const real = h.sub(h.mul(cos, a) as T, h.mul(sin, b) as T) as T;
  const imaginary = h.add(h.mul(sin, a) as T, h.mul(cos, b) as T) as T;
  const back = isPaired
    ? (h.reshape(h.stack([real, imaginary], 4) as T, [...shapeOf(turned)]) as T)
    : (h.concat([real, imaginary], 3) as T);
  const whole = width === size ? back : (h.concat([back, part(y, 3, width, size)], 3) as T);
  return is4D ? whole : joined(whole);
}

/** The recurrence of linear attention, token by token: state [batch, heads, key, value]. */
function linearAttention(c: Call): Results {
  const [qHeads, kvHeads] = [c.int('q_num_heads'), c.int('kv_num_heads')];
  const rule = c.text('update_rule', 'gated_delta');
  if (!['linear', 'gated', 'delta', 'gated_delta'].includes(rule)) {
    c.refuse(`update_rule '${rule}' is not known`, "use 'linear', 'gated', 'delta' or 'gated_delta'");
  }
  c.ignore('chunk_size');
  const [q, k, v] = [heads(c.x(0), qHeads), heads(c.x(1), kvHeads), heads(c.x(2), kvHeads)];
  const [batch, , time, size] = shapeOf(q) as [number, number, number, number];
  const [, , , keySize] = shapeOf(k) as [number, number, number, number];
  const [, , , valueSize] = shapeOf(v) as [number, number, number, number];
  const scale = c.float('scale', 0) || 1 / Math.sqrt(size);
  const isGated = rule.startsWith('gated');
  const isDelta = rule.endsWith('delta');
  // [batch, time, heads · n] → [batch, heads, time, n]; one rate may serve all heads.
  const perHead = (i: number): T => {
    const x = c.x(i);
    const width = shapeOf(x)[2]!;
    return width % kvHeads === 0 ? heads(x, kvHeads) : heads(x, 1);
  };
  const decay = isGated ? (h.exp(perHead(4) as F) as T) : null;
  const rate = isDelta ? perHead(5) : null;
  let state = c.has(3) ? c.x(3) : (h.full([batch, kvHeads, keySize, valueSize], 0) as T);
  const outputs: T[] = [];
  for (let t = 0; t < time; t++) {
    const [kt, vt] = [at(k, 2, t), at(v, 2, t)];
    if (decay !== null) state = h.mul(state, h.unsqueeze(at(decay, 2, t), -1) as T) as T;
    const read = (x: T, s: T): T => h.squeeze(h.matmul(h.unsqueeze(x, 2) as T, s) as T, [2]) as T;
    const fresh = rate === null ? vt : (h.mul(at(rate, 2, t), h.sub(vt, read(kt, state)) as T) as T);
    state = h.add(state, h.mul(h.unsqueeze(kt, -1) as T, h.unsqueeze(fresh, 2) as T) as T) as T;
    outputs.push(h.mul(read(at(q, 2, t), shared(state, qHeads)), scale) as T);
  }
  return [joined(h.stack(outputs, 2) as T), state];
}

function causalConvolution(c: Call): Results {
  const [x, w] = [c.x(0), c.x(1)];
  const [batch, channels, length] = shapeOf(x) as [number, number, number];
  const reach = shapeOf(w)[2]! - 1;
  const past = c.has(3) ? c.x(3) : (h.full([batch, channels, reach], 0) as T);
  const whole = reach > 0 ? (h.concat([past, x], 2) as T) : x;
  let y = h.conv1d(whole as F, w as F, { groups: channels }) as T;
  if (c.has(2)) y = h.add(y, h.reshape(c.x(2), [channels, 1]) as T) as T;
  const activation = c.text('activation', 'none');
  if (activation !== 'none') {
    if (activation !== 'silu' && activation !== 'swish')
      c.refuse(`activation '${activation}' is not known`, "use 'silu'");
    y = swish(y, 1);
  }
  return [y, part(whole, 2, length, length + reach)];
}

export const attentionOps: readonly OnnxOp[] = [
  op('Attention', { versions: { 23: 'masks, caches', 24: 'lengths of caches', 25: 'windows' } }, attention),
  op('FlexAttention', { domain: 'ai.onnx.preview' }, flexAttention),
  op('RotaryEmbedding', {}, rotary),
  op('LinearAttention', { limits: 'written out token by token' }, linearAttention),
  op('CausalConvWithState', {}, causalConvolution),
];
