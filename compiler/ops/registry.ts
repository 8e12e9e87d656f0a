// All ops of ours, by name: what the parser, the fuzzer, the conformance suites and the docs go through. Compiling never
// looks here, since nodes carry their op's record. A family file's default export are its records; this list and
// the star in index.ts are its other mentions.

import type { OpDef } from '../graph/ir.ts';
import arithmeticOps from './arithmetic.ts';
import binaryOps from './binary.ts';
import checkOps from './check.ts';
import checkpointOps from './checkpoint.ts';
import compareOps from './compare.ts';
import concatOps from './concat.ts';
import contractOps from './contract.ts';
import convertOps from './convert.ts';
import customGradientOps from './custom-gradient.ts';
import erfcOps from './erfc.ts';
import gatherOps from './gather.ts';
import inverseTrigOps from './inverse-trig.ts';
import leafOps from './leaf.ts';
import powerOps from './power.ts';
import randomOps from './random.ts';
import reduceOps from './reduce.ts';
import scanOps from './scan.ts';
import shapeOps from './shape.ts';
import sigmoidOps from './sigmoid.ts';
import sliceOps from './slice.ts';
import unaryOps from './unary.ts';
import windowOps from './window.ts';
import windowConvolutionOps from './window-convolution.ts';

const families: readonly (readonly OpDef[])[] = [
  leafOps,
  arithmeticOps,
  unaryOps,
  inverseTrigOps,
  erfcOps,
  sigmoidOps,
  powerOps,
  binaryOps,
  compareOps,
  convertOps,
  shapeOps,
  sliceOps,
  concatOps,
  reduceOps,
  contractOps,
  windowOps,
  windowConvolutionOps,
  randomOps,
  gatherOps,
  checkOps,
  scanOps,
  checkpointOps,
  customGradientOps,
];

export const registry: ReadonlyMap<string, OpDef> = byName(families.flat());

function byName(ops: readonly OpDef[]): ReadonlyMap<string, OpDef> {
  const map = new Map<string, OpDef>();
  for (const op of ops) {
    if (map.has(op.name)) throw new Error(`internal: two ops are called ${op.name}`);
    map.set(op.name, op);
  }
  return map;
}
