// Given values that are padded after they were computed, when they are lowered, then they lie inside of the padded value:
// their kernel writes the inside, small ones the border, and nothing is copied.

import t from 'tap';
import { VarSource } from '../../compiler/kernel/definition.ts';
import { borderParts } from '../../compiler/lower/halo.ts';
import * as h from '../../compiler/ops/index.ts';
import { differences, graphOf, kernelLines, lower } from '../support/lower-graph.ts';

t.test('a convolution above a padded convolution writes the inside of what that one reads', async (t) => {
  const x = h.input('x', [2, 4, 6, 6]);
  const first = h.relu(h.conv2d(x, h.input('w', [4, 4, 1, 1])));
  const graph = graphOf({ y: h.conv2d(first, h.input('v', [4, 4, 3, 3]), { padding: 1 }) });
  const lines = kernelLines(lower(graph)).filter((l) => !l.includes('(pack)'));
  t.same(lines, [
    'relu: convolution + select + le (x, w packed) → pad',
    'top: pad (border) () → pad',
    'top: pad (border) () → pad',
    'top: convolution (pad, v packed) → y',
  ]);
  t.same(differences(graph), []);
});

t.test('others read the inside: the shortcut of a residual block', async (t) => {
  const x = h.input('x', [2, 4, 5, 7]);
  const z = h.input('z', [2, 4, 5, 7]);
  const sum = h.exp(h.add(x, z));
  const conv = h.conv2d(sum, h.input('w', [4, 4, 3, 3]), { padding: [1, 2] });
  const cropped = h.slice(conv, [0, 0, 0, 0], [2, 4, 5, 7]);
  const graph = graphOf({ y: h.add(cropped, sum) });
  const copies = kernelLines(lower(graph)).filter((l) => /: pad( |$)/.test(l) && !l.includes('border'));
  t.same(copies, []);
  t.same(differences(graph), []);
});

t.test('uneven borders, in one dimension, with a value that is not zero', async (t) => {
  const x = h.input('x', [3, 5]);
  const e = h.exp(x);
  const padded = h.pad(
    e,
    [
      [0, 0],
      [2, 1],
    ],
    -3,
  );
  const w = h.input('w', [8, 4]);
  const graph = graphOf({ y: h.matmul(padded, w), s: h.sum(h.mul(e, x), 1) });
  t.same(differences(graph), []);
});

t.test('what leaves the graph, and the second of two pads, are copies', async (t) => {
  const x = h.input('x', [2, 4, 6, 6]);
  const e = h.exp(h.add(x, h.input('z', [2, 4, 6, 6])));
  const near = h.conv2d(e, h.input('w', [4, 4, 3, 3]), { padding: 1 });
  const far = h.conv2d(e, h.input('v', [4, 4, 5, 5]), { padding: 2 });
  const graph = graphOf({ y: h.add(near, far) });
  t.same(differences(graph), []);
  t.same(differences(graphOf({ y: near, e })), []);
});

t.test('the parts of a border cover it once', async (t) => {
  for (const [lo, hi] of [
    [
      [0, 1, 1],
      [0, 1, 1],
    ],
    [
      [1, 0, 2],
      [1, 3, 0],
    ],
    [
      [0, 0, 0],
      [2, 0, 1],
    ],
  ] as const) {
    const x = h.input('x', [2, 3, 4]);
    const pad = h.pad(
      x,
      lo.map((l, d) => [l, hi[d]!] as [number, number]),
    );
    const order = [1, 0, 2];
    const seen = new Map<string, number>();
    for (const { space, at } of borderParts(pad, order, () => new VarSource())) {
      const count = space.reduce((n, v) => n * v.extent, 1);
      for (let i = 0; i < count; i++) {
        let rest = i;
        const place = new Map(
          [...space].reverse().map((v) => {
            const value = rest % v.extent;
            rest = Math.floor(rest / v.extent);
            return [v.id, value] as const;
          }),
        );
        const key = at
          .map((index) =>
            index.terms.reduce(
              (n, term) =>
                n + term.coeff * (term.atom.kind === 'var' ? place.get(term.atom.id)! : Number.NaN),
              index.constant,
            ),
          )
          .join();
        seen.set(key, (seen.get(key) ?? 0) + 1);
      }
    }
    const { shape } = pad.type;
    const inside = (p: readonly number[]): boolean =>
      p.every((v, d) => v >= lo[d]! && v < shape[d]! - hi[d]!);
    for (let a = 0; a < shape[0]!; a++)
      for (let b = 0; b < shape[1]!; b++)
        for (let c = 0; c < shape[2]!; c++)
          if ((seen.get([a, b, c].join()) ?? 0) !== (inside([a, b, c]) ? 0 : 1))
            t.fail(`element ${a},${b},${c} is written ${seen.get([a, b, c].join()) ?? 0} times`);
  }
  t.pass('each element of the border once, none inside');
});
