// All experiments, in the order of the table.

import type { Experiment } from '../support/experiment.ts';
import { circlesAndMoons } from './circles-moons.ts';
import { linearRegression } from './linear-regression.ts';
import { mnist } from './mnist.ts';
import { product } from './product.ts';
import { reverseMode } from './reverse-mode.ts';
import { spiral } from './spiral.ts';

export const experiments: readonly Experiment[] = [
  ...spiral,
  ...linearRegression,
  ...product,
  ...circlesAndMoons,
  ...mnist,
  ...reverseMode,
];
