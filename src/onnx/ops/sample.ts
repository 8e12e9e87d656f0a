// Sampling pictures at places that are computed, and the grids of affine maps.

import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { type OnnxOp, op } from '../operator.ts';
import type { F, T } from './common.ts';

const modes = {
  nearest: 'nearest',
  linear: 'linear',
  bilinear: 'linear',
  cubic: 'cubic',
  bicubic: 'cubic',
} as const;
const paddings = { zeros: 'zeros', border: 'edge', reflection: 'reflect' } as const;

function gridSample(c: Call): T {
  const mode = c.text('mode', c.opset < 20 ? 'bilinear' : 'linear');
  if (!Object.hasOwn(modes, mode)) c.refuse(`mode '${mode}' is not known`, "use 'linear'");
  const beyond = c.text('padding_mode', 'zeros');
  if (!Object.hasOwn(paddings, beyond)) {
    c.refuse(`padding_mode '${beyond}' is not known`, "use 'zeros', 'border' or 'reflection'");
  }
  return h.gridSample(c.x(0) as F, c.x(1) as F, {
    mode: modes[mode as keyof typeof modes],
    padding: paddings[beyond as keyof typeof paddings],
    alignCorners: c.flag('align_corners'),
  }) as T;
}

function affineGrid(c: Call): T {
  return h.affineGrid(c.x(0) as F, c.numbers(1).slice(2), { alignCorners: c.flag('align_corners') }) as T;
}

export const sampleOps: readonly OnnxOp[] = [
  op('GridSample', { versions: { 16: 'pictures', 20: 'any number of dimensions' } }, gridSample),
  op('AffineGrid', {}, affineGrid),
];
