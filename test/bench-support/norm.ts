// Batch norm, residual and ReLU, y = relu(batchNorm(x) + r), with or without its gradients, as a program; and the bytes that
// must move however it is computed, when no more than a part of a batch of pictures stays near.
//
// A sum over all pictures must be known before anything that follows from it, so there are as many sweeps as sums wait for
// sums, and each sweep reads what it needs and cannot have kept:
//
//   statistics     x                    forward: x twice, r, y: 4
//   values         x, r (, dy) → y (, dr), and with dy the sums of the gradient
//   gradient       x, dr → dx           forward and backward: x three times, r, dy, y, dr twice, dx: 9
//
// Were everything kept near, each picture would still come in or go out once: 3 and 6.

import * as h from '../../src/index.ts';

export type Direction = 'forward' | 'forward and backward';

export interface NormProgram {
  readonly program: h.Program;
  readonly feeds: Readonly<Record<string, Float32Array>>;
  readonly mustMoveBytes: number;
  /** Each input and each output once. */
  readonly leastBytes: number;
}

/** The program for pictures of a shape [batch, channels, height, width], with one entry `run`. */
export function normProgram(
  shape: readonly [number, number, number, number],
  direction: Direction,
  options: h.ProgramOptions,
): NormProgram {
  const isBoth = direction === 'forward and backward';
  const names = isBoth ? ['x', 'r', 'dy'] : ['x', 'r'];
  const layer = h.nn.batchNorm();
  const build = (given: Readonly<Record<string, h.Tensor>>, ctx: h.Context): Record<string, h.Tensor> => {
    const x = given['x']! as h.Floats;
    const r = given['r']!;
    const y = h.relu(h.add(layer.apply(x, ctx), r));
    if (!isBoth) return { y };
    const [dx, dr] = h.grad(h.sum(h.mul(y, given['dy']!)), [x, r]);
    return { y, dx: dx!, dr: dr! };
  };
  const specs = Object.fromEntries(names.map((name) => [name, h.tensor(shape)]));
  const elements = shape.reduce((a, b) => a * b, 1);
  const feeds = Object.fromEntries(
    names.map((name, i) => [name, Float32Array.from({ length: elements }, (_, k) => Math.sin(0.37 * k + i))]),
  );
  const program = h.program({ run: h.entry(specs, build, { training: true }) }, options);
  return {
    program,
    feeds,
    mustMoveBytes: 4 * elements * (isBoth ? 9 : 4),
    leastBytes: 4 * elements * (isBoth ? 6 : 3),
  };
}
