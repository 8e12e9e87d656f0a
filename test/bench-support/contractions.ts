// Programs of one contraction, for benchmarks: a matrix product, or a convolution and its two gradients.
//
//     alone       pictures are fed and read out, row-major, as a user has them
//     in a net    pictures were computed by the kernel before, gradients follow from the result, and nobody reads anything
//                 row-major: in memory all lies as the compiler wants it
//
// Weights are variables in both. Convolutions take all of their products (`winograd: false`): rates are set beside a peak.

import * as h from '../../src/index.ts';

export interface MatmulShape {
  readonly kind: 'matmul';
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

export interface ConvShape {
  readonly kind: 'conv';
  readonly part: 'forward' | 'input gradient' | 'weight gradient';
  readonly batch: number;
  /** Height and width of the picture. */
  readonly size: number;
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride: number;
}

export type ContractionShape = MatmulShape | ConvShape;

/** Pixels of the result in one direction; padding is half of the kernel. */
export function resultSize({ size, kernel, stride }: ConvShape): number {
  return Math.floor((size + 2 * (kernel >> 1) - kernel) / stride) + 1;
}

/** Operations: two per multiply-add of the definition, borders counted as if they were inside. */
export function flopsOf(s: ContractionShape): number {
  if (s.kind === 'matmul') return 2 * s.m * s.n * s.k;
  return 2 * s.batch * resultSize(s) ** 2 * s.to * s.from * s.kernel ** 2;
}

export function describeShape(s: ContractionShape): string {
  if (s.kind === 'matmul') return `${s.m} × ${s.k} · ${s.k} × ${s.n}`;
  const stride = s.stride === 1 ? '' : ` / ${s.stride}`;
  return `${s.batch} of ${s.size} × ${s.size} × ${s.from} → ${s.to}, ${s.kernel} × ${s.kernel}${stride}, ${s.part}`;
}

export interface Contraction {
  readonly program: h.Program;
  readonly feeds: Readonly<Record<string, Float32Array>>;
}

export type Surroundings = 'alone' | 'in a net';

/** The program of a contraction, with one entry `run`, and what to feed it. */
export function contraction(
  s: ContractionShape,
  where: Surroundings,
  options: h.ProgramOptions,
): Contraction {
  const inputs = s.kind === 'matmul' ? { a: [s.m, s.k], b: [s.k, s.n] } : convInputs(s);
  const specs = Object.fromEntries(Object.entries(inputs).map(([name, shape]) => [name, h.tensor(shape)]));
  const build = (given: Given, ctx: h.Context): Record<string, h.Tensor> =>
    s.kind === 'matmul' ? { y: h.matmul(given['a']!, given['b']!) } : convolution(s, where, given, ctx);
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, shape]) => [name, wave(shape.reduce((a, b) => a * b, 1))]),
  );
  return { program: h.program({ run: h.entry(specs, build) }, { winograd: false, ...options }), feeds };
}

function convInputs(s: ConvShape): Record<string, number[]> {
  const out = resultSize(s);
  return {
    x: [s.batch, s.from, s.size, s.size],
    dy: [s.batch, s.to, out, out],
  };
}

type Given = Readonly<Record<string, h.Tensor>>;

function convolution(
  s: ConvShape,
  where: Surroundings,
  given: Given,
  ctx: h.Context,
): Record<string, h.Tensor> {
  const w = h.variable('w', [s.to, s.from, s.kernel, s.kernel], h.initializers.heNormal());
  const options = { strides: s.stride, padding: s.kernel >> 1 };
  if (where === 'alone') {
    const x = given['x']!;
    const y = h.conv2d(x, w, options);
    const [dx, dw] = h.grad(h.sum(h.mul(y, given['dy']!)), [x, w]);
    if (s.part === 'forward') return { y };
    if (s.part === 'input gradient') return { dx: dx! };
    ctx.assign(w, dw!);
    return {};
  }
  // The pictures come from the layer before; the result goes to a variable, which lies as pictures do.
  const x = h.exp(given['x']!);
  const keep = (value: h.Tensor): Record<string, h.Tensor> => {
    ctx.assign(h.variable('kept', value.type.shape, h.initializers.zeros(), { trainable: false }), value);
    return {};
  };
  if (s.part === 'forward') return keep(h.conv2d(x, w, options));
  // The gradient of the result follows from the result; the bias's gradient reads it, too.
  const b = h.variable('b', [s.to, 1, 1], h.initializers.zeros());
  const y = h.add(h.conv2d(x, w, options), b);
  const loss = h.sum(h.square(h.sub(y, given['dy']!)));
  const [dx, dw, db] = h.grad(loss, [x, w, b]);
  ctx.assign(b, db!);
  if (s.part === 'input gradient') return keep(dx!);
  ctx.assign(w, dw!);
  return {};
}

/**
 * Milliseconds of a profile that belong to the contraction: of its parts, its packing and its sums, by their labels; of
 * everything when it is alone, or no label says.
 */
export function contractionMs({ steps, totals }: h.Profile, where: Surroundings): number {
  const contractions = steps.filter((s) => /convolution|dotGeneral/.test(s.label));
  // Of gradients, the convolution that they are of runs first.
  const gradients = contractions.filter((s) => s.label.startsWith('grad'));
  const own = gradients.length > 0 ? gradients : contractions;
  if (where === 'alone' || own.length === 0) return totals.walkMs;
  return own.reduce((ms, s) => ms + s.ms, 0);
}

/** Numbers between −1 and 1 that are neither equal nor subnormal. */
function wave(n: number): Float32Array {
  return Float32Array.from({ length: n }, (_, i) => Math.sin(i * 0.37 + 0.1));
}

/**
 * Contractions as nets have them, drawn from a seed: about as many products as convolutions, sizes that are seldom
 * multiples of anything, work between 4 and 120 MFLOP.
 */
export function drawShapes(seed: number, count: number): ContractionShape[] {
  const random = h.random(seed, 'shapes');
  // Between the limits, small ones as likely as large ones.
  const size = (from: number, to: number): number => Math.round(from * (to / from) ** random.uniform());
  const pick = <T>(list: readonly T[]): T => list[random.int(list.length)]!;
  const draw = (): ContractionShape => {
    if (random.uniform() < 0.5)
      return { kind: 'matmul', m: size(8, 1024), n: size(8, 1024), k: size(8, 2048) };
    return {
      kind: 'conv',
      part: pick(['forward', 'input gradient', 'weight gradient']),
      batch: size(1, 64),
      size: size(5, 56),
      from: size(3, 128),
      to: size(4, 128),
      kernel: pick([1, 3, 3, 5]),
      stride: pick([1, 1, 2]),
    };
  };
  const shapes: ContractionShape[] = [];
  while (shapes.length < count) {
    const shape = draw();
    const flops = flopsOf(shape);
    if (flops >= 4e6 && flops <= 120e6) shapes.push(shape);
  }
  return shapes;
}
