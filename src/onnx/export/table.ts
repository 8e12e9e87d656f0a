// How each primitive is written in ONNX, once. Ops with regions are not among them: they are expanded before.

import type { ExportRule } from './call.ts';
import { contractRules } from './ops/contract.ts';
import { createRules } from './ops/create.ts';
import { elementwiseRules } from './ops/elementwise.ts';
import { indexingRules } from './ops/indexing.ts';
import { reduceRules } from './ops/reduce.ts';
import { shapeRules } from './ops/shape.ts';
import { windowRules } from './ops/window.ts';

/** By the name of the op; inputs, variables and constants are written by the exporter itself. */
export const exportRules: ReadonlyMap<string, ExportRule> = new Map(
  [createRules, elementwiseRules, reduceRules, shapeRules, indexingRules, contractRules, windowRules].flatMap(
    (family) => Object.entries(family),
  ),
);
