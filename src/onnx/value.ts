// Values of a model, as operators take and give them.

import type { Tensor } from '../../compiler/graph/ir.ts';
import type { Elem } from './elements.ts';

/** A value of the model while it is built: its node, and the element type that ONNX gives it. */
export interface Value {
  readonly node: Tensor;
  readonly elem: Elem;
}
