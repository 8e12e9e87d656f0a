// Random graphs for tests that compare: interpreter, passes and targets must agree on every one of them. A graph is made in
// steps, each a recipe (random-recipes.ts) with a few numbers that decide its choices; fast-check shrinks by leaving steps
// out and making numbers smaller, so that what is left of a failure is short, and is printed as text to paste.

import fc from 'fast-check';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Graph, HostTensor, Node } from '../../compiler/graph/ir.ts';
import { topologicalOrder } from '../../compiler/graph/order.ts';
import { printGraph } from '../../compiler/graph/print.ts';
import { type DType, elementCount, roundTo, type Shape } from '../../compiler/graph/types.ts';
import { add, div } from '../../compiler/ops/arithmetic.ts';
import { sum } from '../../compiler/ops/broadcast.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { square } from '../../compiler/ops/math.ts';
import { tanh } from '../../compiler/ops/unary.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { seededRandom } from './random.ts';
import { type Dish, type Kitchen, type Recipe, recipes } from './random-recipes.ts';

export interface RandomGraph {
  /** Outputs `y0`, `y1`, … of any dtype, `loss` and, for each f32 input x, `dx`: its gradient. */
  readonly graph: Graph;
  /** Values of all inputs, by name; exact in f32. */
  readonly values: Readonly<Record<string, HostTensor>>;
  readonly loss: Node;
  /** The f32 inputs. */
  readonly wrt: readonly Node[];
}

export interface RandomGraphOptions {
  /** Most steps; each makes one to ten nodes. Default 12. */
  readonly maxSteps?: number;
  /** Most elements of a value. Default 400. */
  readonly maxElements?: number;
  /** Whether gradients are among the outputs. Default true. */
  readonly gradients?: boolean;
  /** Instead of the whole table. */
  readonly recipes?: readonly Recipe[];
}

interface Step {
  readonly recipe: number;
  readonly choices: readonly number[];
}

interface Plan {
  readonly shapes: readonly Shape[];
  readonly steps: readonly Step[];
  readonly seed: number;
}

/** Values may grow to this before they go through tanh. */
const maxBound = 4;

/**
 * Random graphs with values for their inputs.
 *
 *     fc.assert(fc.property(randomGraph(), ({ graph, values }) => { … }), { seed: 1, numRuns: 50 });
 */
export function randomGraph(options: RandomGraphOptions = {}): fc.Arbitrary<RandomGraph> {
  const shape = fc
    .array(fc.integer({ min: 1, max: 7 }), { maxLength: 4 })
    .map((dims) => dims.filter((_, i) => elementCount(dims.slice(0, i + 1)) <= 150));
  const step = fc.record({
    recipe: fc.nat(9999),
    choices: fc.array(fc.nat(99), { minLength: 10, maxLength: 10 }),
  });
  return fc
    .record({
      shapes: fc.array(shape, { minLength: 1, maxLength: 3 }),
      steps: fc.array(step, { minLength: 1, maxLength: options.maxSteps ?? 12 }),
      seed: fc.nat(2 ** 31 - 1),
    })
    .map((plan) => cook(plan, options));
}

function cook(plan: Plan, options: RandomGraphOptions): RandomGraph {
  const cookbook = options.recipes ?? recipes;
  const maxElements = options.maxElements ?? 400;
  const inputs: Node[] = [];
  const bounds = new Map<Node, number>();
  const pool: Node[] = [];
  const fed = new Map<Node, HostTensor>();
  const feed = (value: HostTensor): Node => {
    const x = input(`s${inputs.length}`, value.type.shape, value.type.dtype);
    inputs.push(x);
    fed.set(x, value);
    return x;
  };
  const source = (prefix: string, shape: Shape, bound: number): Node<Shape, 'f32'> => {
    const x = input(`${prefix}${inputs.length}`, shape);
    inputs.push(x);
    bounds.set(x, bound);
    return x;
  };
  for (const shape of plan.shapes) pool.push(source('x', shape, 2));

  for (const step of plan.steps) {
    const { make } = cookbook[step.recipe % cookbook.length]!;
    const inputsBefore = inputs.length;
    const dish = make(kitchen(step.choices, pool, bounds, (shape) => source('w', shape, 1), feed));
    const value = dish === null ? null : serve(dish, bounds);
    const isFine =
      value !== null && elementCount(value.type.shape) <= maxElements && value.type.shape.length <= 6;
    if (isFine) pool.push(value);
    else inputs.length = inputsBefore;
  }
  return finish(inputs, fed, pool, plan.seed, options.gradients ?? true);
}

/** The value with its bound noted; one that may be large goes through tanh. */
function serve(dish: Exclude<Dish, null>, bounds: Map<Node, number>): Node {
  if (!('length' in dish)) return dish;
  const [value, bound] = dish;
  const tamed = bound > maxBound ? tanh(value) : value;
  bounds.set(tamed, Math.min(bound, maxBound));
  return tamed;
}

function kitchen(
  choices: readonly number[],
  pool: readonly Node[],
  bounds: ReadonlyMap<Node, number>,
  weight: (shape: Shape) => Node<Shape, 'f32'>,
  feed: (value: HostTensor) => Node,
): Kitchen {
  let next = 0;
  const choose = (lo: number, hi: number): number => {
    const n = choices[next++ % choices.length]!;
    return hi <= lo ? lo : lo + (n % (hi - lo + 1));
  };
  /** Candidates from the latest to the first. */
  const latest = <D extends DType>(dtype: D): Node<Shape, D>[] =>
    pool.filter((n): n is Node<Shape, D> => n.type.dtype === dtype).reverse();
  const pickOf = <T>(from: readonly T[]): T | null =>
    from.length === 0 ? null : from[choose(0, from.length - 1)]!;
  return {
    choose,
    weight,
    feed,
    pick: (from) => pickOf(from)!,
    bound: (x) => bounds.get(x) ?? maxBound,
    float: () => pickOf(latest('f32'))!,
    bool: () => pickOf(latest('bool')),
    int: () => pickOf(latest('i32')),
    partner: (x) => {
      const y = pickOf(latest('f32'))!;
      return broadcasts(x.type.shape, y.type.shape) ? y : div(sum(y), elementCount(y.type.shape));
    },
  };
}

function broadcasts(a: Shape, b: Shape): boolean {
  return b.every((d, i) => {
    const other = a[i + a.length - b.length] ?? 1;
    return d === other || d === 1 || other === 1;
  });
}

/** Values that nothing reads become outputs; the loss is the mean square of those that are f32. */
function finish(
  inputs: readonly Node[],
  fed: ReadonlyMap<Node, HostTensor>,
  pool: readonly Node[],
  seed: number,
  gradients: boolean,
): RandomGraph {
  const read = new Set(topologicalOrder(pool).flatMap((n) => n.operands));
  const results = pool.filter((n) => !read.has(n) && n.operands.length > 0);
  const floats = pool.filter((n) => n.type.dtype === 'f32' && !read.has(n));
  const squares = (floats.length > 0 ? floats : pool.slice(0, 1)).map((y) =>
    div(sum(square(y)), elementCount(y.type.shape)),
  );
  const loss = squares.reduce((a, b) => add(a, b));
  const wrt = inputs.filter((x) => x.type.dtype === 'f32');
  const graph = makeGraph('random', {
    inputs,
    outputs: [
      ...results.map((node, i) => ({ name: `y${i}`, node })),
      { name: 'loss', node: loss },
      ...(gradients ? grad(loss, wrt).map((node, i) => ({ name: `d${wrt[i]!.name}`, node })) : []),
    ],
  });
  const values = drawValues(inputs, fed, seed);
  return Object.assign({ graph, values, loss, wrt }, { [fc.toStringMethod]: () => paste(graph, values) });
}

function drawValues(
  inputs: readonly Node[],
  fed: ReadonlyMap<Node, HostTensor>,
  seed: number,
): Record<string, HostTensor> {
  const random = seededRandom(seed);
  return Object.fromEntries(
    inputs.map((x) => {
      const given = fed.get(x);
      if (given !== undefined) return [x.name!, given];
      const reach = x.name!.startsWith('w') ? 1 : 2;
      const element = (): number => roundTo('f32', random.uniform(-reach, reach));
      const data = Float64Array.from({ length: elementCount(x.type.shape) }, element);
      return [x.name!, { type: x.type, data }];
    }),
  );
}

/** What a failure shows: the graph, and the values as a literal. */
function paste(graph: Graph, values: Readonly<Record<string, HostTensor>>): string {
  const shown = Object.entries(values).map(([name, v]) => `  ${name}: [${[...v.data].join(', ')}],`);
  return `\n${printGraph(graph, { locations: false })}values = {\n${shown.join('\n')}\n}\n`;
}
