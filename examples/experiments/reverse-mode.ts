// Reverse mode, worked through by hand in many a textbook: y = sin(x₁) + x₁ · x₂ at (2, 3). The figure is the graph with the value
// of each edge above it and, below, its adjoint: how y changes with what flows there. x₁ is used twice; its adjoint is a sum.

import { performance } from 'node:perf_hooks';
import { add, entry, grad, mul, program, sin, tensor } from '../../src/index.ts';
import * as plot from '../../src/plot/index.ts';
import type { Experiment, Outcome } from '../support/experiment.ts';

const [at1, at2] = [2, 3];

async function run(_seed: number): Promise<Outcome> {
  const start = performance.now();
  const p = program(
    {
      all: entry({ x1: tensor([]), x2: tensor([]) }, ({ x1, x2 }) => {
        const s = sin(x1);
        const m = mul(x1, x2);
        const y = add(s, m);
        const [dx1, dx2, ds, dm] = grad(y, [x1, x2, s, m]);
        return { s, m, y, dx1: dx1!, dx2: dx2!, ds: ds!, dm: dm! };
      }),
    },
    { threads: 1 },
  );
  try {
    await p.compile('all');
    const compiled = performance.now();
    const results = await p.run('all', { x1: at1, x2: at2 });
    const end = performance.now();
    const v = Object.fromEntries(Object.entries(results).map(([k, t]) => [k, t.data[0]!])) as Record<
      string,
      number
    >;
    const off = Math.max(
      Math.abs(v['y']! - 6.909297426825682),
      Math.abs(v['dx1']! - 2.5838531634528574),
      Math.abs(v['dx2']! - 2),
    );
    const at = (name: string): string => v[name]!.toFixed(3);
    // The two uses of x₁ have an adjoint each: through sin it is cos x₁, through the product x₂.
    const [viaSin, viaProduct] = [Math.cos(at1) * v['ds']!, at2 * v['dm']!];
    const figure = await plot.graph(
      {
        nodes: [
          { id: 'x1', label: ['x₁ = 2', `adjoint ${at('dx1')}`] },
          { id: 'x2', label: ['x₂ = 3', `adjoint ${at('dx2')}`] },
          { id: 'sin' },
          { id: 'mul', label: '×' },
          { id: 'add', label: '+' },
          { id: 'y', label: [`y = ${at('y')}`, 'adjoint 1'] },
        ],
        edges: [
          { from: 'x1', to: 'sin', forward: '2', backward: viaSin.toFixed(3) },
          { from: 'x1', to: 'mul', forward: '2', backward: viaProduct.toFixed(3) },
          { from: 'x2', to: 'mul', forward: '3', backward: at('dx2') },
          { from: 'sin', to: 'add', forward: at('s'), backward: at('ds') },
          { from: 'mul', to: 'add', forward: at('m'), backward: at('dm') },
          { from: 'add', to: 'y', forward: at('y'), backward: '1' },
        ],
      },
      { title: 'y = sin(x₁) + x₁ · x₂: values above, adjoints below' },
    );
    const others = { y: v['y']!, dy_dx1: v['dx1']!, dy_dx2: v['dx2']! };
    return {
      value: off,
      others,
      losses: [],
      steps: 1,
      seconds: (end - compiled) / 1000,
      compileSeconds: (compiled - start) / 1000,
      figure,
    };
  } finally {
    await p.dispose();
  }
}

export const reverseMode: readonly Experiment[] = [
  {
    name: 'reverse-mode',
    about: 'values and adjoints of y = sin(x₁) + x₁ · x₂',
    metric: 'largest_error',
    // Three numbers below 8, in f32.
    median: [0, 1e-6],
    run,
  },
];
