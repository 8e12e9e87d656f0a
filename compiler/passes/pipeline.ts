// The passes of a compilation, in order: a table of contents. There is no pass for dead code, since a graph holds only what
// its outputs and updates reach, and each pass makes its graph anew from those.

import { repeatedAlgebra } from './algebra.ts';
import { checkNumerics } from './check-numerics.ts';
import { repeatedMerging } from './cse.ts';
import { expandRegions } from './expand-regions.ts';
import { foldConstants } from './fold.ts';
import { legalize } from './legalize.ts';
import { improveLoops } from './loops/index.ts';
import { insideLoops } from './loops/regions.ts';
import { type GraphPass, repeated } from './manager.ts';
import { onePerWindow } from './one-per-window.ts';
import { reuseMasks } from './reuse-masks.ts';
import { sharePads } from './share-pads.ts';
import { splitDilation } from './split-dilation.ts';
import { splitReductions } from './split-reductions.ts';
import { splitVariance } from './split-variance.ts';
import { winogradWithin } from './winograd.ts';

export interface PipelineOptions {
  /** Report the first op that produces NaN or an infinity. Default false. */
  readonly checkNumerics?: boolean;
  /** Compute convolutions by fewer products where that is faster and needs at most so many bytes more. Default: none. */
  readonly winograd?: { readonly mostBytes: number } | null;
}

/** What fold makes constant, algebra removes; what algebra makes equal, cse merges. Networks rest after two or three rounds. */
function simplifier(): GraphPass {
  return repeated('simplify', 'Folds, merges and rewrites until nothing changes.', 4, [
    foldConstants,
    repeatedAlgebra(),
    repeatedMerging(),
  ]);
}

/**
 * The passes between a user's graph and lowering, for one compilation: they remember what they have looked at.
 *
 *     const graph = runPasses(source, standardPasses(), { now: () => performance.now() });
 */
export function standardPasses(options: PipelineOptions = {}): readonly GraphPass[] {
  const simplify = simplifier();
  return [
    expandRegions,
    improveLoops,
    // Early, while the graph is still what the user wrote.
    ...(options.checkNumerics ? [insideLoops(checkNumerics)] : []),
    ...[
      simplify,
      reuseMasks,
      // Sums without the zeros of pooling's gradient, convolutions without zeros between elements, explicit padding, one padded copy of each value, one traversal for
      // mean and variance, shorter reductions: new views and constants, so it tidies up once more.
      onePerWindow,
      splitDilation,
      legalize,
      sharePads,
      splitVariance,
      splitReductions,
      { ...simplify, name: 'tidy' },
      // Last: it puts values side by side and reads them from there, which tidying up would undo.
      ...(options.winograd ? [winogradWithin(options.winograd.mostBytes)] : []),
    ].map(insideLoops),
  ];
}
