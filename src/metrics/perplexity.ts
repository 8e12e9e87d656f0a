// Perplexity: among how many equally likely classes a model seems to choose.

import type { Tensor } from '../../compiler/graph/ir.ts';
import { scope } from '../../compiler/graph/scope.ts';
import type { Shape } from '../../compiler/graph/types.ts';
import { cast, ne, sum } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { softmaxCrossEntropy } from '../losses/softmax-cross-entropy.ts';
import { countOf } from './accuracy.ts';
import type { Metric, MetricOptions } from './metric.ts';

export interface PerplexityOptions extends MetricOptions {
  /** A label that stands for none, such as padding. */
  readonly ignoreIndex?: number | undefined;
}

/**
 * The exponential of the mean cross-entropy over all labels of all batches. Logits f32[N, K, …] with labels i32[N, …].
 *
 * @formula exp(−Σ log softmax(x)ᵧ / n)
 * @source Jelinek et al., 1977
 * @example metrics.perplexity({ ignoreIndex: 0 })
 */
export function perplexity(options: PerplexityOptions = {}): Metric {
  const { name = 'perplexity', ignoreIndex } = options;
  return {
    name,
    measure: (logits, labels): Record<string, Tensor> => {
      const loss = softmaxCrossEntropy(logits, labels, { reduction: 'sum', ignoreIndex });
      const given = labels as Tensor<Shape, 'i32'>;
      const count =
        ignoreIndex === undefined
          ? countOf(labels)
          : scope('perplexity', () =>
              sum(cast(ne(given, ignoreIndex) as Tensor<Shape, 'bool'>, 'f32') as Floats),
            );
      return { surprise: loss, count };
    },
    result: (sums) => Math.exp(sums['surprise']![0]! / sums['count']![0]!),
  };
}
