// The elementwise functions err by no more than test/support/functions.ts (and docs/math.md, which is made from it) says, on
// every target and with fused multiply-add. With --long on 2 million points each instead of 50,000, and then the bounds
// of the deterministic target are no larger than they need be.

import t from 'tap';
import { featureObstacle, relaxedSimd } from '../../runtime/features.ts';
import { measuredFunctions, specialPoints } from '../support/functions.ts';
import { Measurement, type Variant, variants } from '../support/measure.ts';
import { ulps } from '../support/ulps.ts';

const count = 50_000;
const isLong = process.env['HEDDLE_LONG'] === '1';
const parts = isLong ? 40 : 1;
const obstacle = featureObstacle(relaxedSimd);

for (const variant of Object.keys(variants) as Variant[]) {
  const skip = variant === 'fused' && obstacle !== null ? obstacle : false;
  t.test(`${variant}: errors in units in the last place`, { skip }, async (t) => {
    for (const f of measuredFunctions) {
      const measurement = new Measurement(f, variant, count);
      // A machine may round the products of fused multiply-add as well.
      const bound = variant === 'fused' ? Math.max(f.ulps.fused, f.ulps.wasm) : f.ulps[variant];
      const worst = await measurement.worst(parts);
      t.ok(worst.ulps <= bound, `${f.name}: ${worst.ulps.toFixed(3)} of ${bound} ulp, ${worst.at}`);
      if (isLong && variant === 'wasm')
        t.ok(bound - worst.ulps <= Math.max(0.2, 0.05 * bound), `${f.name}: the bound is not slack`);
      if (!f.second) {
        const values = await measurement.values(specialPoints);
        specialPoints.forEach((x, i) => {
          const want = f.exact(x, 1);
          const isRight = Object.is(values[i], Math.fround(want)) || ulps(values[i]!, want) <= bound;
          if (!isRight) t.fail(`${f.name}(${Object.is(x, -0) ? '-0' : x}) = ${values[i]}, not ${want}`);
        });
      }
      await measurement.dispose();
    }
  });
}
