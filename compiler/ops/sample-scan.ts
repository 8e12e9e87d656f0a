// A small loop for the sampler of scan: one carried value, one sequence, one captured value, all smooth.

import type { Node, Sample, SampleSource } from '../graph/ir.ts';
import { add, mul } from './arithmetic.ts';
import { drawTensor } from './draw.ts';
import { trace } from './regions.ts';
import { sin, tanh } from './unary.ts';

export function sampleScan(random: SampleSource): Sample {
  const shape = random.shape(0, 2, 3);
  const length = random.int(1, 4);
  const type = { dtype: 'f32', shape } as const;
  const parameters = ['carry', 'row', 'captured'].map((name) => ({ name, type }));
  const { region } = trace('sample', parameters, ([c, x, w]): Node[] => {
    const next = tanh(add(mul(c!, w!) as Node, x!) as Node);
    return [next as Node, sin(mul(next as Node, x!) as Node) as Node];
  });
  return {
    operands: [
      drawTensor(random, 'f32', shape),
      drawTensor(random, 'f32', [length, ...shape]),
      drawTensor(random, 'f32', shape),
    ],
    attrs: {
      result: random.int(0, 1),
      carries: 1,
      sequences: 1,
      length,
      reverse: random.bool(),
      ...(random.bool() && { unroll: false }),
    },
    regions: [region],
  };
}
