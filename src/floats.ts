// The type that layers and losses speak.

import type { Tensor } from '../compiler/graph/ir.ts';
import type { Shape } from '../compiler/graph/types.ts';

/** A tensor of f32, whatever its shape. */
export type Floats = Tensor<Shape, 'f32'>;
