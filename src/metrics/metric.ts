// What a metric is: values that a batch contributes, computed in the graph, and a number made of those of all batches on the
// host. What batches contribute is added up, or, where a sum is not enough, kept one after the other. So a metric is exact for
// batches of any size.

import type { Tensor } from '../../compiler/graph/ir.ts';

export interface Metric<T = number> {
  /** Its name in histories and progress lines. */
  readonly name: string;
  /** What a batch contributes: f32 values by name, of a shape that does not depend on the batch where they are added up. */
  measure(prediction: Tensor, target: Tensor): Readonly<Record<string, Tensor>>;
  /** Names of values that are kept, batch after batch, instead of added up. Such a metric is only shown at the end of an epoch. */
  readonly collects?: readonly string[];
  /** The metric, from what all batches have contributed and the number of examples. */
  result(values: Readonly<Record<string, Float64Array>>, examples: number): T;
}

/** Options that every metric takes. */
export interface MetricOptions {
  /** Its name in histories, where it is used twice; default that of the function. */
  readonly name?: string | undefined;
}
