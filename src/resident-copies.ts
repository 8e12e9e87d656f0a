// The copies of resident data in one program's memory: made by the first run that is fed from it, given back when the data is
// released.

import type { ResidentRows } from '../runtime/step-feed.ts';
import type { Engine } from './engine.ts';
import type { RowsFeed } from './feeds.ts';
import type { Spec } from './spec.ts';
import type { ResidentData } from './steps.ts';

export class ResidentCopies {
  readonly #engine: Engine;
  readonly #held = new Map<ResidentData, Promise<ResidentRows>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The copy of some data, which has these rows for the inputs. Throws HDL1001, HDL1007. */
  async keep(
    inputs: Readonly<Record<string, Spec>>,
    data: ResidentData,
    rows: Readonly<Record<string, RowsFeed>>,
  ): Promise<ResidentRows> {
    const held = this.#held.get(data);
    if (held !== undefined) return held;
    const kept = this.#engine.keep(
      Object.entries(rows).map(([name, { values, shape }]) => {
        const count = values.length / shape.reduce((n, d) => n * d, 1);
        return { name, dtype: inputs[name]!.dtype, shape: [count, ...shape], values };
      }),
    );
    this.#held.set(data, kept);
    const forget = (): void => {
      this.#held.delete(data);
      data.releases.delete(release);
    };
    const release = async (): Promise<void> => {
      forget();
      await this.#engine.drop(await kept);
    };
    data.releases.add(release);
    try {
      return await kept;
    } catch (error) {
      forget();
      throw error;
    }
  }
}
