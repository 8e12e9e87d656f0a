// Given short reductions whose first round stands for their start, when they are run on all that is special, then the largest, the
// smallest and their places are those of the definition, bit for bit.

import t from 'tap';
import { lowerGraph } from '../../compiler/lower/lower.ts';
import * as h from '../../compiler/ops/index.ts';
import { jsTarget, wasmSimd } from '../../compiler/target/targets.ts';
import { graphOf } from '../support/lower-graph.ts';
import { runLowered } from '../support/run-lowered.ts';

const special = [Number.NaN, Number.NEGATIVE_INFINITY, -0, 0, 1, Number.POSITIVE_INFINITY];
const rounds = 3;
const columns = special.length ** rounds;

t.test('largest, smallest and their places, of three', async (t) => {
  const data = Float64Array.from({ length: rounds * columns }, (_, i) => {
    const [round, column] = [Math.floor(i / columns), i % columns];
    return special[Math.floor(column / special.length ** round) % special.length]!;
  });
  const x = h.input('x', [rounds, columns]);
  const graph = graphOf({ max: h.max(x, [0]), min: h.min(x, [0]), at: h.argmax(x, 0) });
  const leaves = { x: { type: { dtype: 'f32', shape: [rounds, columns] }, data } } as const;
  for (const target of [wasmSimd, jsTarget]) {
    const { max, min, at } = runLowered(lowerGraph(graph, target), leaves).outputs;
    for (let c = 0; c < columns; c++) {
      const values = Array.from({ length: rounds }, (_, r) => data[r * columns + c]!);
      // Of equal numbers the first counts, and NaN before all.
      const nan = values.findIndex(Number.isNaN);
      const place = (isBetter: (v: number, than: number) => boolean): number =>
        nan >= 0 ? nan : values.reduce((b, v, i) => (isBetter(v, values[b]!) ? i : b), 0);
      const [best, least] = [place((v, than) => v > than), place((v, than) => v < than)];
      const found = [max![c], min![c], at![c]];
      const wanted = [values[best], values[least], best];
      if (!found.every((v, i) => Object.is(v, wanted[i])))
        t.fail(`${target.name}: of ${values.join(', ')}: ${found.join(', ')}, not ${wanted.join(', ')}`);
    }
  }
  t.match(lowerGraph(graph, wasmSimd).steps[0]!.kernel.schedule, /lanes across/);
});
