// Einstein summation against plain loops over all letters, on equations of every kind; what the plan is made of; errors.

import t from 'tap';
import { makeGraph } from '../../compiler/graph/graph.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { HostTensor, Node } from '../../compiler/graph/ir.ts';
import { elementCount, type Shape } from '../../compiler/graph/types.ts';
import { drawTensor } from '../../compiler/ops/draw.ts';
import { einsum, input, sum } from '../../compiler/ops/index.ts';
import { flatPosition, forEachPosition } from '../../compiler/ops/loops.ts';
import { errorOf } from '../support/error-of.ts';
import { checkGradients } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';

const sizes: Readonly<Record<string, number>> = { i: 2, j: 3, k: 4, l: 2, b: 3, u: 1 };

/** The sum of products by loops over every letter; no dots. */
function byLoops(equation: string, operands: readonly HostTensor[]): number[] {
  const [left, right] = equation.split('->') as [string, string];
  const terms = left.split(',');
  const letters = [...new Set(terms.join(''))];
  const place = (term: string, at: ReadonlyMap<string, number>, shape: Shape): number =>
    flatPosition(
      shape,
      [...term].map((c, d) => (shape[d] === 1 ? 0 : at.get(c)!)),
    );
  const shape = [...right].map((c) => sizes[c]!);
  const result = new Array<number>(elementCount(shape)).fill(0);
  forEachPosition(
    letters.map((c) => sizes[c]!),
    (at) => {
      const map = new Map(letters.map((c, i) => [c, at[i]!]));
      const product = operands.reduce((p, o, i) => p * o.data[place(terms[i]!, map, o.type.shape)]!, 1);
      result[flatPosition(shape, right === '' ? [] : [...right].map((c) => map.get(c)!))]! += product;
    },
  );
  return result;
}

const equations = [
  'ij->ji', 'ij->i', 'ij->', 'ii->i', 'ii->', 'iij->j', 'i,i->', 'i,i->i', 'i,j->ij', 'i,j->', 'ij,jk->ik', 'ij,jk->ki',
  'ij,ij->', 'bij,bjk->bik', 'bij,jk->bik', 'ijb,bk->kji', 'ij,kj->', 'ij,j->i', 'ik,jk,lk->ijl', 'ij,jk,kl->il',
  'ij,jk,kl,lb->ib', 'ij,ij,ij->j', 'ii,ij->j', ',ij->ji', 'u,uj->j',
]; // biome-ignore format: a table

for (const equation of equations) {
  t.test(equation, async (t) => {
    const random = seededRandom(7);
    const terms = equation.split('->')[0]!.split(',');
    const values = terms.map((term) =>
      drawTensor(
        random,
        'f32',
        [...term].map((c) => sizes[c]!),
      ),
    );
    const x = values.map((v, i) => input(`x${i}`, v.type.shape));
    const y = einsum(equation, ...x);
    const inputs = Object.fromEntries(values.map((v, i) => [`x${i}`, v]));
    const graph = makeGraph('einsum', { inputs: x, outputs: [{ name: 'y', node: y }] });
    const got = [...interpretGraph(graph, { inputs }).outputs['y']!.data];
    const want = byLoops(equation, values);
    t.equal(got.length, want.length);
    t.ok(
      got.every((v, i) => Math.abs(v - want[i]!) < 1e-12),
      `${got} for ${want}`,
    );
    const problems = checkGradients({ outputs: [y], inputs: x, values: inputs, elements: 6, random });
    t.same(problems, [], 'gradients');
  });
}

t.test('dots, implicit results, sizes of 1', async (t) => {
  const x = input('x', [5, 2, 3]);
  const w = input('w', [3, 4]);
  t.same(einsum('...j,jk->...k', x, w).type.shape, [5, 2, 4]);
  t.same(einsum('...j,jk', x, w).type.shape, [5, 2, 4]);
  t.same(einsum('ij,jk', input('a', [2, 3]), w).type.shape, [2, 4]);
  t.same(einsum('ba', input('a', [2, 3])).type.shape, [3, 2], 'letters in alphabetical order');
  t.same(
    einsum('...ij,...jk->...ik', input('a', [5, 1, 2, 3]), input('c', [6, 3, 4])).type.shape,
    [5, 6, 2, 4],
  );
});

t.test('a plan is one contraction where one does', async (t) => {
  const ops = (y: Node): string[] => {
    const graph = makeGraph('plan', { outputs: [{ name: 'y', node: y }] });
    return graph.nodes.filter((n) => n.op.name !== 'input').map((n) => n.op.name);
  };
  t.same(ops(einsum('bqd,bkd->bqk', input('q', [2, 3, 4]), input('k', [2, 5, 4]))), ['dotGeneral']);
  t.same(ops(sum(einsum('ij,j->i', input('a', [2, 3]), input('v', [3])))), ['dotGeneral', 'reduceSum']);
});

t.test('equations that do not fit', async (t) => {
  const x = input('x', [2, 3]);
  t.match(
    errorOf(() => einsum('ij,jk->ik', x)),
    /HDL0003: einsum.*2 terms for 1 operands/,
  );
  t.match(
    errorOf(() => einsum('ijk->i', x)),
    /names 3 dimensions, operand 0 has 2/,
  );
  t.match(
    errorOf(() => einsum('ij->k', x)),
    /'k' of the result is in no operand/,
  );
  t.match(
    errorOf(() => einsum('ij->ii', x)),
    /a letter stands twice in the result/,
  );
  t.match(
    errorOf(() => einsum('ij,jk->ik', x, x as Node)),
    /HDL0001.*dimension 'j' is 3 and 2/,
  );
  t.match(
    errorOf(() => einsum('i1->i', x)),
    /terms of letters/,
  );
  t.match(
    errorOf(() => einsum('ij,ij->i', x, input('n', [2, 3], 'i32'))),
    /HDL0002/,
  );
});
