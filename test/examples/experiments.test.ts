// Every experiment at small size: it runs, its numbers are finite, and the figure is drawn. And those that take seconds, at full size
// for one seed, end where the others have to.

import t from 'tap';
import { experiments } from '../../examples/experiments/index.ts';
import { missing, sharedFolder } from '../support/shared.ts';

/** Experiments whose losses are compared step by step elsewhere: a few steps are enough here. */
const few = /^(spiral|linreg|product|circles|moons|mnist)/;

for (const { name, needs, run } of experiments) {
  t.test(`${name}, small`, { skip: needs === undefined ? false : missing(`data/${needs}`) }, async (t) => {
    const shares: number[] = [];
    const outcome = await run(1, {
      isSmall: true,
      ...(few.test(name) ? { steps: 20 } : {}),
      figure: true,
      data: `${sharedFolder}/data`,
      onProgress: (share) => shares.push(share),
    });
    t.ok(Number.isFinite(outcome.value), `value ${outcome.value}`);
    for (const [other, value] of Object.entries(outcome.others ?? {}))
      t.ok(Number.isFinite(value), `${other} ${value}`);
    for (const loss of Array.from(outcome.losses)) if (!Number.isFinite(loss)) t.fail(`a loss of ${loss}`);
    t.ok(outcome.steps > 0 && outcome.seconds > 0);
    t.ok(
      shares.every((s) => s > 0 && s <= 1),
      `progress ${shares}`,
    );
    const svg = await outcome.figure!.svg();
    t.match(svg, /^<svg /);
    t.notMatch(svg, /[">, ]NaN["<, ]/);
  });
}

for (const name of ['iris-folds', 'own-parts', 'two-losses', 'reverse-mode']) {
  t.test(`${name}, in full`, async (t) => {
    const { run, median } = experiments.find((e) => e.name === name)!;
    const { value } = await run(1);
    t.ok(value >= median[0] && value <= median[1], `${value} lies in ${median}`);
  });
}
