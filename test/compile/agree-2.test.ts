// Half of the random graphs on which every target must agree; two files, so that two cores share the work.

import { testRandomGraphs } from '../support/random-agreement.ts';

testRandomGraphs(20240608);
