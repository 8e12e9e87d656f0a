// What becomes of loops that stay loops, in order: what never changes goes before them, what their gradients would compute
// again is kept, and what nobody wants goes.

import type { GraphPass } from '../manager.ts';
import { hoistFromLoops } from './hoist.ts';
import { pruneLoops } from './prune.ts';
import { keepResiduals } from './residuals.ts';

export const improveLoops: GraphPass = {
  name: 'loops',
  doc: 'Moves out of loops what never changes, and keeps of their steps what gradients read.',
  run: (graph) => [hoistFromLoops, keepResiduals, pruneLoops].reduce((g, pass) => pass.run(g), graph),
};
