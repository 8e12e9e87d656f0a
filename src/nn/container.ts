// Layers made of layers: a chain, and a residual branch.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import type { FormatShape, ShapeError } from '../../compiler/graph/shape-types.ts';
import { type DType, formatShape, type Shape, sameShape } from '../../compiler/graph/types.ts';
import { add } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { type Layer, type LayerOptions, layer } from './layer.ts';
import type { CheckOf, InputShape, OutputOf, SameShape, ShapeRule } from './shape-rule.ts';

/** What a layer does to shapes. */
type RuleOf<L> = L extends Layer<infer R> ? R : ShapeRule;

/**
 * The shape after one layer after the other. Each shape is computed before the next layer is asked, or the compiler would stand
 * as deep in them as there are layers.
 */
type Chained<L extends readonly Layer[], S extends Shape> = number extends L['length']
  ? Shape
  : L extends readonly [infer First, ...infer Rest extends readonly Layer[]]
    ? OutputOf<RuleOf<First>, S> extends infer Next extends Shape
      ? Chained<Rest, Next>
      : Shape
    : S;

/** The first check that fails. */
type ChainCheck<L extends readonly Layer[], S extends Shape> = L extends readonly [
  infer First,
  ...infer Rest extends readonly Layer[],
]
  ? unknown extends CheckOf<RuleOf<First>, S>
    ? OutputOf<RuleOf<First>, S> extends infer Next extends Shape
      ? ChainCheck<Rest, Next>
      : unknown
    : CheckOf<RuleOf<First>, S>
  : unknown;

/** Layers one after the other. */
export interface ChainRule<L extends readonly Layer[]> extends ShapeRule {
  readonly output: Chained<L, InputShape<this>>;
  readonly check: ChainCheck<L, InputShape<this>>;
  readonly dtype: L extends readonly [infer First, ...(readonly Layer[])] ? RuleOf<First>['dtype'] : DType;
}

/** The rule of a branch: a layer, or several. */
type BranchRule<M> = M extends readonly Layer[] ? ChainRule<M> : RuleOf<M>;

/** What both branches give; null stands for no shortcut. */
export interface ResidualRule<M, C> extends ShapeRule {
  readonly output: OutputOf<BranchRule<M>, InputShape<this>>;
  readonly check: ResidualCheck<BranchRule<M>, C extends Layer ? RuleOf<C> : SameShape, InputShape<this>>;
  readonly dtype: 'f32';
}
type ResidualCheck<M extends ShapeRule, C extends ShapeRule, S extends Shape> =
  unknown extends CheckOf<M, S>
    ? unknown extends CheckOf<C, S>
      ? Clash<OutputOf<M, S>, OutputOf<C, S>> extends true
        ? ShapeError<`residual: main gives ${FormatShape<OutputOf<M, S>>}, the shortcut ${FormatShape<OutputOf<C, S>>}`>
        : unknown
      : CheckOf<C, S>
    : CheckOf<M, S>;
/** Whether two shapes are known to differ. */
type Clash<A extends Shape, B extends Shape> = [A] extends [B] ? false : [B] extends [A] ? false : true;

/**
 * Applies layers one after the other. Its children are named in its scope: `block1/conv1`.
 *
 * @example nn.sequential([nn.dense(100), nn.relu(), nn.dense(3)])
 */
export function sequential<const L extends readonly Layer[]>(
  layers: L,
  options: LayerOptions = {},
): Layer<ChainRule<L>> {
  const children = [...layers];
  children.forEach((child, i) => {
    // A function has an `apply`, too.
    if (typeof child === 'object' && typeof child?.apply === 'function') return;
    throw compilerError('HDL0015', {
      what: `sequential with ${typeof child === 'function' ? 'a function' : String(child)} at position ${i}`,
      rule: 'it is made of layers',
      hint: typeof child === 'function' ? 'call it: nn.relu(); or wrap it: nn.lambda(f)' : 'remove it',
      loc: callerLocation(),
    });
  });
  return layer('block', (x, ctx) => children.reduce<Floats>((y, child) => child.apply(y, ctx), x), options);
}

/**
 * main(x) + shortcut(x); without a shortcut, main(x) + x (He et al., 2015). Both have one shape: throws HDL0001 with
 * both when they differ, since broadcasting one of them is never meant.
 *
 * @example
 * nn.residual(
 *   nn.sequential([nn.conv2d(32, 3, { padding: 1, stride: 2 }), nn.batchNorm()]),
 *   nn.conv2d(32, 1, { stride: 2 }),
 * )
 */
export function residual<
  const M extends Layer | readonly Layer[],
  const C extends Layer | undefined = undefined,
>(main: M, shortcut?: C, options: LayerOptions = {}): Layer<ResidualRule<M, C>> {
  const branch: Layer = 'apply' in main ? main : sequential(main, { name: 'main' });
  return layer(
    'residual',
    (x, ctx) => {
      const y = branch.apply(x, ctx);
      const short = shortcut === undefined ? x : shortcut.apply(x, ctx);
      if (!sameShape(y.type.shape, short.type.shape)) {
        const [, channels, ...spatial] = y.type.shape;
        const stride =
          spatial.length === 2 && spatial[0]! > 0 ? Math.ceil(x.type.shape[2]! / spatial[0]!) : 1;
        const options = stride > 1 ? `, { stride: ${stride} }` : '';
        throw compilerError('HDL0001', {
          what: `residual adds main ${describeNode(y)} and ${shortcut === undefined ? 'its input' : 'shortcut'} ${describeNode(short)}`,
          rule: `the branches have shapes ${formatShape(y.type.shape)} and ${formatShape(short.type.shape)}, they must be equal`,
          hint:
            spatial.length === 2
              ? `give it a 1x1 convolution as shortcut: nn.residual(main, nn.conv2d(${channels}, 1${options}))`
              : `give it a shortcut that makes ${formatShape(y.type.shape)}, such as nn.dense(${channels})`,
          loc: callerLocation(),
        });
      }
      return add(y, short);
    },
    options,
  );
}
