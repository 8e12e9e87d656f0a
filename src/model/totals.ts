// What the batches of one epoch add up to: the mean loss over examples, and the metrics.

import type { RunTensor } from '../../runtime/tensor.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Figures } from '../progress.ts';

export class Totals {
  readonly #metrics: readonly Metric[];
  readonly #sums = new Map<string, Float64Array>();
  #loss = 0;
  examples = 0;

  constructor(metrics: readonly Metric[]) {
    this.#metrics = metrics;
  }

  /** Adds the results of a batch of so many examples; returns its loss. */
  add(results: Readonly<Record<string, RunTensor>>, examples: number): number {
    const loss = results['loss']!.data[0]!;
    this.#loss += loss * examples;
    this.examples += examples;
    for (const [name, { data }] of Object.entries(results)) {
      if (name === 'loss') continue;
      const sum = this.#sums.get(name);
      if (sum === undefined) this.#sums.set(name, Float64Array.from(data));
      else for (let i = 0; i < data.length; i++) sum[i]! += data[i]!;
    }
    return loss;
  }

  /** The figures so far: `loss`, and each metric by its name. */
  figures(): Figures {
    const figures: Record<string, number> = { loss: this.#loss / this.examples };
    for (const metric of this.#metrics) {
      const prefix = `${metric.name}/`;
      const own = [...this.#sums].filter(([name]) => name.startsWith(prefix));
      const sums = Object.fromEntries(own.map(([name, sum]) => [name.slice(prefix.length), sum]));
      figures[metric.name] = metric.result(sums, this.examples);
    }
    return figures;
  }
}
