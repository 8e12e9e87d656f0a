// Layers without variables that change each element, or the shape.

import {
  flatten as flattenOp,
  relu as reluOp,
  sigmoid as sigmoidOp,
  softmax as softmaxOp,
  tanh as tanhOp,
} from '../../compiler/ops/index.ts';
import type { Context } from '../context.ts';
import type { Floats } from '../floats.ts';
import { type Layer, type LayerOptions, layer } from './layer.ts';

function activation(kind: string, op: (x: Floats) => Floats, options: LayerOptions): Layer {
  return layer(kind, op, options);
}

/** max(x, 0), elementwise; the derivative at 0 is 0. */
export function relu(options: LayerOptions = {}): Layer {
  return activation('relu', (x) => reluOp(x), options);
}

/** 1 / (1 + e^−x), elementwise. */
export function sigmoid(options: LayerOptions = {}): Layer {
  return activation('sigmoid', (x) => sigmoidOp(x), options);
}

/** tanh(x), elementwise. */
export function tanh(options: LayerOptions = {}): Layer {
  return activation('tanh', (x) => tanhOp(x), options);
}

/**
 * Probabilities along the last axis. Not before `softmaxCrossEntropy`, which takes logits.
 *
 * @example nn.softmax()
 */
export function softmax(options: LayerOptions = {}): Layer {
  return activation('softmax', (x) => softmaxOp(x, -1), options);
}

/**
 * All dimensions but the first in one: [N, C, H, W] → [N, C·H·W].
 *
 * @example nn.flatten()
 */
export function flatten(options: LayerOptions = {}): Layer {
  return layer('flatten', (x) => flattenOp(x), options);
}

/** The input itself: a branch that does nothing. */
export function identity(options: LayerOptions = {}): Layer {
  return layer('identity', (x) => x, options);
}

/**
 * Any function as a layer. It may use `ctx` for variables and other layers.
 *
 * @example nn.lambda((x) => mul(x, 2))
 */
export function lambda(build: (x: Floats, ctx: Context) => Floats, options: LayerOptions = {}): Layer {
  return layer('lambda', build, options);
}
