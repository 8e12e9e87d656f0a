// All experiments, in the order of the table. One more is a record in a file here, and a line below.

import type { Experiment } from '../support/experiment.ts';
import { adding } from './adding.ts';
import { autoencoder } from './autoencoder.ts';
import { circlesAndMoons } from './circles-moons.ts';
import { crossValidation } from './cross-validation.ts';
import { linearRegression } from './linear-regression.ts';
import { mnist } from './mnist.ts';
import { ownParts } from './own-parts.ts';
import { product } from './product.ts';
import { resnetCifar } from './resnet-cifar.ts';
import { reverseMode } from './reverse-mode.ts';
import { sorting } from './sorting.ts';
import { spiral } from './spiral.ts';
import { twoLosses } from './two-losses.ts';

export const experiments: readonly Experiment[] = [
  ...spiral,
  ...linearRegression,
  ...product,
  ...circlesAndMoons,
  ...mnist,
  ...reverseMode,
  ...crossValidation,
  ...twoLosses,
  ...ownParts,
  ...autoencoder,
  ...adding,
  ...sorting,
  ...resnetCifar,
];
