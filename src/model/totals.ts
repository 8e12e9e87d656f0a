// What batches add up to: the mean loss over examples, and what metrics make of their sums and of what they keep.

import type { RunTensor } from '../../runtime/tensor.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Figures } from '../progress.ts';

/** What batches have contributed to one metric: sums, and values one after the other. */
export class MetricTotals<T> {
  readonly metric: Metric<T>;
  readonly #sums = new Map<string, Float64Array>();
  readonly #kept = new Map<string, Float64Array[]>();

  constructor(metric: Metric<T>) {
    this.metric = metric;
  }

  /** Adds the value of that name from one batch. */
  add(name: string, data: ArrayLike<number>): void {
    if (this.metric.collects?.includes(name)) {
      const kept = this.#kept.get(name);
      if (kept === undefined) this.#kept.set(name, [Float64Array.from(data)]);
      else kept.push(Float64Array.from(data));
      return;
    }
    const sum = this.#sums.get(name);
    if (sum === undefined) this.#sums.set(name, Float64Array.from(data));
    else for (let i = 0; i < data.length; i++) sum[i]! += data[i]!;
  }

  /** What has been added up and kept, by name. */
  *state(): Generator<readonly [string, Float64Array]> {
    for (const [name, sum] of this.#sums) yield [name, sum];
    for (const [name, parts] of this.#kept) yield [name, join(parts)];
  }

  result(examples: number): T {
    const kept = [...this.#kept].map(([name, parts]) => [name, join(parts)] as const);
    return this.metric.result(Object.fromEntries([...this.#sums, ...kept]), examples);
  }
}

/** The totals of a loss and of metrics, from results named `loss` and `metric/value`. */
export class Totals {
  readonly #metrics: readonly MetricTotals<number>[];
  #loss = 0;
  examples = 0;

  constructor(metrics: readonly Metric[]) {
    this.#metrics = metrics.map((m) => new MetricTotals(m));
  }

  /** Adds the results of a batch of so many examples; returns its loss. */
  add(results: Readonly<Record<string, RunTensor>>, examples: number): number {
    const loss = results['loss']!.data[0]!;
    this.#loss += loss * examples;
    this.examples += examples;
    for (const totals of this.#metrics) {
      const prefix = `${totals.metric.name}/`;
      for (const [name, { data }] of Object.entries(results)) {
        if (name.startsWith(prefix)) totals.add(name.slice(prefix.length), data);
      }
    }
    return loss;
  }

  /** What has been added up so far, by name: with `restore`, the same figures come out in the end. */
  state(): ReadonlyMap<string, Float64Array> {
    const state = new Map<string, Float64Array>([['loss', Float64Array.of(this.#loss, this.examples)]]);
    for (const totals of this.#metrics) {
      for (const [name, values] of totals.state()) state.set(`${totals.metric.name}/${name}`, values);
    }
    return state;
  }

  restore(state: ReadonlyMap<string, ArrayLike<number>>): void {
    const loss = state.get('loss');
    this.#loss = loss?.[0] ?? 0;
    this.examples = loss?.[1] ?? 0;
    for (const totals of this.#metrics) {
      const prefix = `${totals.metric.name}/`;
      for (const [name, values] of state) {
        if (name.startsWith(prefix)) totals.add(name.slice(prefix.length), values);
      }
    }
  }

  /** The figures so far: `loss`, and each metric by its name. While an epoch runs, without metrics that keep values. */
  figures(isEnd = true): Figures {
    const figures: Record<string, number> = { loss: this.#loss / this.examples };
    for (const totals of this.#metrics) {
      if (!isEnd && totals.metric.collects !== undefined) continue;
      figures[totals.metric.name] = totals.result(this.examples);
    }
    return figures;
  }
}

function join(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
