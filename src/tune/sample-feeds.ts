// Arrays to run an entry with when nobody cares for its results: floats between a half and one, which keeps logarithms,
// roots and quotients ordinary numbers, and the integer 0, which is an index of anything.

import type { RunInput } from '../../runtime/tensor.ts';
import { elementCount, makeData } from '../../runtime/tensor.ts';
import { random } from '../random.ts';
import { bindShape, type Dims, type Spec } from '../spec.ts';

/** One array per input, of the sizes given. */
export function sampleFeeds(
  specs: Readonly<Record<string, Spec>>,
  dims: Dims,
): Readonly<Record<string, RunInput>> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => {
      const data = makeData(spec.dtype, elementCount(bindShape(spec, dims)));
      const draw = random(0, name);
      return [name, spec.dtype === 'f32' ? data.map(() => draw.uniform(0.5, 1)) : data];
    }),
  );
}
