// What a metric is: sums that a batch contributes, computed in the graph, and a number made of the sums of all batches
// on the host. So a metric is exact for batches of any size, and nothing but a few sums leaves the run.

import type { Tensor } from '../../compiler/graph/ir.ts';

export interface Metric {
  /** Its name in histories and progress lines. */
  readonly name: string;
  /** What a batch adds to each sum: f32 of fixed shape. */
  measure(prediction: Tensor, target: Tensor): Readonly<Record<string, Tensor>>;
  /** The metric, from the sums over all batches and the number of examples. */
  result(sums: Readonly<Record<string, Float64Array>>, examples: number): number;
}
