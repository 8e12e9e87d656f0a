// The loss of each experiment by step, for seed 1, beside those of a float64 run in another language: steps 0, 1, 2 and 9 to a
// relative 1e-5, step 99 to 1e-3.

import t from 'tap';
import { experiments } from '../../examples/experiments/index.ts';
import { missing, sharedFolder } from '../support/shared.ts';

const steps = [0, 1, 2, 9, 99];
const expected: Readonly<Record<string, readonly number[]>> = {
  'spiral-sgd': [1.098567975, 1.089317549, 1.105285263, 1.114357071, 0.4256913382],
  'spiral-momentum': [1.098567975, 1.096942981, 1.10049895, 1.140018331, 0.3992016826],
  'spiral-rmsprop': [1.098567975, 1.084416701, 1.082011057, 0.8155812366, 0.3372007114],
  'spiral-adam': [1.098567975, 1.093371612, 1.093964199, 1.030219254, 0.3495246787],
  'spiral-batchnorm': [1.097500123, 0.8794539299, 1.135940262, 0.787179334, 0.242570017],
  'spiral-dropout': [1.098496247, 1.09342896, 1.093615015, 1.035520784, 0.4044752068],
  'spiral-residual': [1.414741704, 1.344432444, 1.412309854, 0.5796648662, 0.01121298072],
  'linreg-10': [4.663152344, 6.46701098, 8.431360173, 1.209592524, 5.913151577e-6],
  'linreg-30': [4.663152344, 6.46701098, 8.431360173, 1.209592524, 5.913151577e-6],
  'linreg-noise-10': [4.665934274, 6.466228686, 8.407501976, 1.217031351, 7.394766975e-5],
  'product-1layer': [2.144101186, 1.546822834, 2.846703738, 2.584486325, 1.274238443],
  'product-2layer': [1.181731968, 0.8929959689, 1.614349954, 1.968787415, 1.160053171],
  'circles-published': [1.516022599, 1.435303419, 1.360390457, 0.97842235, 0.7031098575],
  'circles-true-gradient': [1.516022599, 1.414219841, 1.324338404, 0.931004427, 0.6927037925],
  'circles-adam': [0.8949659776, 0.8234740561, 0.7700279607, 0.7144880566, 0.1909789348],
  'moons-true-gradient': [1.811722469, 1.614041867, 1.447005487, 0.8442571579, 0.6903121297],
  'moons-adam': [0.8613828212, 0.7694087406, 0.6877298587, 0.3642616441, 0.009161372629],
  'mnist-cnn-clean': [2.310273416, 2.327916761, 2.286543067, 1.926463979, 0.1102664852],
};

for (const [name, wanted] of Object.entries(expected)) {
  const experiment = experiments.find((e) => e.name === name)!;
  t.test(
    name,
    { skip: experiment.needs === undefined ? false : missing(`data/${experiment.needs}`) },
    async (t) => {
      const { losses } = await experiment.run(1, { steps: 100, data: `${sharedFolder}/data` });
      t.equal(losses.length, 100);
      wanted.forEach((w, i) => {
        const found = losses[steps[i]!]!;
        const error = Math.abs(found - w) / w;
        t.ok(
          error <= (steps[i] === 99 ? 1e-3 : 1e-5),
          `step ${steps[i]}: ${found}, ${w}: ${error.toExponential(1)} off`,
        );
      });
    },
  );
}
