// The operators that are imported, each once. The list of families is the only one there is: files of ops/ hold the rest.

import type { OnnxOp } from './operator.ts';
import { arithmeticOps } from './ops/arithmetic.ts';
import { attentionOps } from './ops/attention.ts';
import { compareOps } from './ops/compare.ts';
import { controlOps } from './ops/control.ts';
import { convolveOps } from './ops/convolve.ts';
import { createOps } from './ops/create.ts';
import { indexingOps } from './ops/indexing.ts';
import { lossOps } from './ops/loss.ts';
import { normalizeOps } from './ops/normalize.ts';
import { orderOps } from './ops/order.ts';
import { poolOps } from './ops/pool.ts';
import { quantizeOps } from './ops/quantize.ts';
import { randomOps } from './ops/random.ts';
import { recurrentOps } from './ops/recurrent.ts';
import { reduceOps } from './ops/reduce.ts';
import { refusedOps } from './ops/refusals.ts';
import { regionOps } from './ops/region.ts';
import { resizeOps } from './ops/resize.ts';
import { sampleOps } from './ops/sample.ts';
import { shapeOps } from './ops/shape.ts';
import { signalOps } from './ops/signal.ts';
import { unaryOps } from './ops/unary.ts';

const families: readonly (readonly OnnxOp[])[] = [
  arithmeticOps,
  compareOps,
  unaryOps,
  reduceOps,
  orderOps,
  shapeOps,
  indexingOps,
  createOps,
  convolveOps,
  poolOps,
  resizeOps,
  sampleOps,
  regionOps,
  normalizeOps,
  lossOps,
  recurrentOps,
  attentionOps,
  signalOps,
  quantizeOps,
  randomOps,
  controlOps,
  refusedOps,
];

/** By `domain:name`. */
export const onnxOperators: ReadonlyMap<string, OnnxOp> = new Map(
  families.flat().map((o) => [`${o.domain}:${o.name}`, o]),
);
