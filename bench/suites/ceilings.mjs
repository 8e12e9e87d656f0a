// ceilings: what this machine does in micro-kernels. Other suites measure the part that they need before they begin.

import { measureCeilings, printCeilings } from '../ceilings.mjs';

export const ceilings = {
  about: 'peak of multiply-add, fused and not, and bandwidth of copy and triad, on one worker and two',
  async run(context) {
    const rows = await measureCeilings(context.ceilings, context.rounds, true);
    printCeilings(rows);
    return rows;
  },
};
