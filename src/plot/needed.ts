// Packages that are there only where figures are drawn.

import { compilerError } from '../../compiler/graph/errors.ts';

/** What an import of an optional package gives. Throws HDL0040 when it is not there. */
export async function needed<T>(name: string, loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (cause) {
    throw compilerError(
      'HDL0040',
      {
        what: `figures are drawn with the package ${name}, which cannot be loaded`,
        rule: 'what only figures need is not installed with Heddle',
        hint: 'npm install vega vega-lite; for PNG also @resvg/resvg-wasm dejavu-fonts-ttf, for graphs @dagrejs/dagre',
      },
      { cause },
    );
  }
}
