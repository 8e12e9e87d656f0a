// Public functions against values of PyTorch, NumPy and SciPy (float64), kept beside this file, with the edge cases that tables
// have: infinities, NaN, zeros, ends and ties. Gradients are those of the sum of the value's elements times cos(their number).

import { readFileSync } from 'node:fs';
import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { HostTensor, Node } from '../../compiler/graph/ir.ts';
import { elementCount } from '../../compiler/graph/types.ts';
import { input } from '../../compiler/ops/leaf.ts';
import { vjp } from '../../compiler/passes/grad.ts';
import { h } from '../support/public-functions.ts';

type Numbers = readonly (number | 'nan' | 'inf' | '-inf' | '-0')[];

interface Case {
  readonly fn: string;
  /** `{ x: k }` stands for input k, also inside of options. */
  readonly args: readonly unknown[];
  /** Of a result with several parts, the one that is compared. */
  readonly part?: string;
  readonly inputs: readonly {
    readonly dtype: 'f32' | 'i32';
    readonly shape: readonly number[];
    readonly data: Numbers;
  }[];
  readonly shape: readonly number[];
  readonly value: Numbers;
  /** To each f32 input; null where there is none. */
  readonly gradients?: readonly (Numbers | null)[];
}

const file = new URL('../../../test/golden/pytorch/functions.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly Case[] };

const special = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  '-0': -0,
};
const numbers = (list: Numbers): number[] => list.map((v) => (typeof v === 'number' ? v : special[v]));

/** Places where both differ by more than 1e-9 of the larger; zeros have signs in the table where they matter. */
function differences(got: readonly number[], want: readonly number[], signs = false): string[] {
  if (got.length !== want.length) return [`${got.length} elements for ${want.length}`];
  const isSame = (a: number, b: number): boolean =>
    Object.is(a, b) || (!signs && a === b) || Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b));
  return got.flatMap((v, i) => (isSame(v, want[i]!) ? [] : [`[${i}]: ${v} for ${want[i]}`]));
}

function filled(arg: unknown, inputs: readonly Node[]): unknown {
  if (Array.isArray(arg) || typeof arg !== 'object' || arg === null) return arg;
  const { x } = arg as { readonly x?: unknown };
  if (typeof x === 'number' && Object.keys(arg).length === 1) return inputs[x];
  return Object.fromEntries(Object.entries(arg).map(([k, v]) => [k, filled(v, inputs)]));
}

const names = [...new Set(cases.map((c) => c.fn))];
for (const name of names) {
  t.test(name, async (t) => {
    for (const c of cases.filter(({ fn }) => fn === name)) {
      const inputs = c.inputs.map((x, i) => input(`x${i}`, [...x.shape], x.dtype) as Node);
      const values = Object.fromEntries(
        c.inputs.map(({ dtype, shape, data }, i) => [
          `x${i}`,
          { type: { dtype, shape }, data: Float64Array.from(numbers(data)) } as HostTensor,
        ]),
      );
      const result = h[name]!(...c.args.map((a) => filled(a, inputs)));
      const y = c.part === undefined ? result : (result as unknown as Record<string, Node>)[c.part]!;
      const wrt = inputs.filter((x) => x.type.dtype === 'f32');
      const cotangent = input('cotangent', y.type.shape) as Node;
      const gradients = c.gradients === undefined ? [] : vjp([y], [cotangent], wrt);
      const graph = makeGraph('golden', {
        inputs: [...inputs, cotangent],
        outputs: [y, ...gradients].map((node, i) => ({ name: `y${i}`, node })),
      });
      const weights = Float64Array.from(c.value, (_, i) => Math.cos(i));
      const { outputs } = interpretGraph(graph, {
        inputs: { ...values, cotangent: { type: cotangent.type, data: weights } },
      });
      const told = `${name}(${c.args.map((a) => JSON.stringify(a)).join(', ')})`;
      t.same(y.type.shape, c.shape, `${told}: shape`);
      t.same(differences([...outputs['y0']!.data], numbers(c.value), name === 'copySign'), [], told);
      gradients.forEach((g, i) => {
        const want = c.gradients![i] ?? null;
        const expected =
          want === null ? new Array<number>(elementCount(g.type.shape)).fill(0) : numbers(want);
        t.same(differences([...outputs[`y${i + 1}`]!.data], expected), [], `${told}: gradient ${i}`);
      });
    }
  });
}
