// Layers made of layers: a chain, and a residual branch.

import { describeNode } from '../../compiler/graph/describe.ts';
import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { formatShape, sameShape } from '../../compiler/graph/types.ts';
import { add } from '../../compiler/ops/index.ts';
import type { Floats } from '../floats.ts';
import { type Layer, type LayerOptions, layer } from './layer.ts';

/**
 * Applies layers one after the other. Its children are named in its scope: `block1/conv1`.
 *
 * @example nn.sequential([nn.dense(100), nn.relu(), nn.dense(3)])
 */
export function sequential(layers: readonly Layer[], options: LayerOptions = {}): Layer {
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
export function residual(
  main: Layer | readonly Layer[],
  shortcut?: Layer,
  options: LayerOptions = {},
): Layer {
  const branch = 'apply' in main ? main : sequential(main, { name: 'main' });
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
