// A small region for samplers of ops that have one: two f32 operands of one shape, two smooth results of that shape.

import type { Graph, HostTensor, Node, Sample, SampleSource } from '../graph/ir.ts';
import { add, mul } from './arithmetic.ts';
import { drawTensor } from './draw.ts';
import { input } from './leaf.ts';
import { parametersLike, trace } from './regions.ts';
import { cos, sin, tanh } from './unary.ts';

export function sampleRegion(random: SampleSource): {
  readonly operands: readonly HostTensor[];
  readonly regions: readonly Graph[];
} {
  const shape = random.shape(0, 2, 3);
  const operands = [drawTensor(random, 'f32', shape), drawTensor(random, 'f32', shape)];
  const nodes = operands.map((o, i): Node => input(`x${i}`, o.type.shape));
  const { region } = trace('sample', parametersLike('x', nodes), ([x, y]) => [
    mul(tanh(x!), y!) as Node,
    add(sin(mul(x!, y!) as Node), 0.5) as Node,
  ]);
  return { operands, regions: [region] };
}

/** A product whose gradient is written by hand. */
export function sampleCustomGradient(random: SampleSource): Sample {
  const shape = random.shape(0, 2, 3);
  const operands = Array.from({ length: 2 }, () => drawTensor(random, 'f32', shape));
  const nodes = operands.map((o, i): Node => input(`x${i}`, o.type.shape));
  const parameters = parametersLike('x', nodes);
  const forward = trace('forward', parameters, ([x, y]) => [mul(x!, y!), sin(x!)] as Node[]);
  const results = forward.region.outputs.map((o) => o.node);
  const more = [...parametersLike('result', results), ...parametersLike('cotangent', results)];
  const backward = trace(
    'backward',
    [...parameters, ...more],
    ([x, y, , , g, h]) => [add(mul(g!, y!), mul(h!, cos(x!))), mul(g!, x!)] as Node[],
  );
  return {
    operands,
    attrs: { result: random.int(0, 1), given: 2, captured: 0 },
    regions: [forward.region, backward.region],
  };
}
