// Recurrent nets and attention against their formulas in plain loops, float64; gradients by differences; targets against the
// interpreter.

import t, { type Test } from 'tap';
import type { HostTensor, Node } from '../../compiler/graph/ir.ts';
import {
  attention,
  joinHeads,
  rotary,
  sinusoidalPositions,
  splitHeads,
} from '../../compiler/ops/attention.ts';
import { sum } from '../../compiler/ops/broadcast.ts';
import { gru, lstm, rnn } from '../../compiler/ops/recurrent.ts';
import { grad } from '../../compiler/passes/grad.ts';
import { Executor } from '../../runtime/executor.ts';
import { compiledDisagreements, draw, evaluateOp, graphOf, host } from '../support/evaluate-ops.ts';
import { checkGradients } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';

const [steps, batch, features, units] = [4, 2, 3, 2];
const sigma = (v: number): number => 1 / (1 + Math.exp(-v));

function close(t: Test, got: readonly number[], want: readonly number[], what: string): void {
  t.equal(got.length, want.length, `${what}: length`);
  t.ok(
    got.every((v, i) => Math.abs(v - want[i]!) < 1e-10),
    what,
  );
}

/** row · matrix, for a matrix of `columns` columns. */
function times(row: readonly number[], matrix: Float64Array, columns: number): number[] {
  return Array.from({ length: columns }, (_, j) =>
    row.reduce((s, v, i) => s + v * matrix[i * columns + j]!, 0),
  );
}

type Step = (z: number[], state: number[][]) => number[][];

/** All outputs [T, N, units] and the last states, by plain loops. */
function loop(
  x: HostTensor,
  kernel: HostTensor,
  bias: HostTensor,
  states: number,
  step: Step,
  options: { reverse?: boolean; lengths?: number[] } = {},
): { outputs: number[]; last: number[][] } {
  const columns = bias.data.length;
  const outputs = new Array<number>(steps * batch * units).fill(0);
  const last: number[][] = Array.from({ length: states }, () => []);
  for (let n = 0; n < batch; n++) {
    let state = Array.from({ length: states }, () => new Array<number>(units).fill(0));
    for (let i = 0; i < steps; i++) {
      const s = options.reverse ? steps - 1 - i : i;
      if (options.lengths && s >= options.lengths[n]!) continue;
      const at = (s * batch + n) * features;
      const z = times([...x.data.slice(at, at + features)], kernel.data, columns);
      state = step(
        z.map((v, j) => v + bias.data[j]!),
        state,
      );
      state[0]!.forEach((v, u) => {
        outputs[(s * batch + n) * units + u] = v;
      });
    }
    for (const [k, v] of state.entries()) last[k]!.push(...v);
  }
  return { outputs, last };
}

const gates = (g: number): HostTensor[] => [
  draw([steps, batch, features], 1),
  draw([features, g * units], 2),
  draw([units, g * units], 3),
  draw([g * units], 4),
];

const lstmStep =
  (recurrent: HostTensor): Step =>
  (z, [h, c]) => {
    const gate = times(h!, recurrent.data, 4 * units).map((v, j) => v + z[j]!);
    const cell = c!.map((v, u) => {
      const [i, f, g] = [gate[u]!, gate[units + u]!, gate[2 * units + u]!];
      return sigma(f) * v + sigma(i) * Math.tanh(g);
    });
    return [cell.map((v, u) => sigma(gate[3 * units + u]!) * Math.tanh(v)), cell];
  };

t.test('lstm', async (t) => {
  const operands = gates(4);
  const [x, kernel, recurrent, bias] = operands as [HostTensor, HostTensor, HostTensor, HostTensor];
  for (const options of [{}, { reverse: true }]) {
    const want = loop(x, kernel, bias, 2, lstmStep(recurrent), options);
    const run = (a: Node, k: Node, r: Node, b: Node) =>
      lstm(a, { kernel: k, recurrent: r, bias: b }, options);
    const name = JSON.stringify(options);
    close(
      t,
      evaluateOp((...v) => run(v[0]!, v[1]!, v[2]!, v[3]!).outputs, ...operands),
      want.outputs,
      name,
    );
    close(
      t,
      evaluateOp((...v) => run(v[0]!, v[1]!, v[2]!, v[3]!).state, ...operands),
      want.last[0]!,
      `${name} state`,
    );
    close(
      t,
      evaluateOp((...v) => run(v[0]!, v[1]!, v[2]!, v[3]!).cell, ...operands),
      want.last[1]!,
      `${name} cell`,
    );
  }
  const lengths = [3, 1];
  for (const reverse of [false, true]) {
    const want = loop(x, kernel, bias, 2, lstmStep(recurrent), { reverse, lengths });
    const got = evaluateOp(
      (a, k, r, b, n) => lstm(a!, { kernel: k!, recurrent: r!, bias: b! }, { reverse, lengths: n! }).outputs,
      ...operands,
      host([batch], lengths, 'i32'),
    );
    close(t, got, want.outputs, `lengths, reverse: ${reverse}`);
  }
});

t.test('gru, with the reset gate after or before the product', async (t) => {
  const operands = [...gates(3), draw([3 * units], 5)];
  const [x, kernel, recurrent, bias, extra] = operands as [
    HostTensor,
    HostTensor,
    HostTensor,
    HostTensor,
    HostTensor,
  ];
  const n3 = 3 * units;
  for (const resetAfter of [true, false]) {
    const step: Step = (z, [h]) => {
      const product = times(h!, recurrent.data, n3).map((v, j) => v + extra.data[j]!);
      const r = h!.map((_, u) => sigma(z[u]! + product[u]!));
      const update = h!.map((_, u) => sigma(z[units + u]! + product[units + u]!));
      const before = times(
        h!.map((v, u) => v * r[u]!),
        recurrent.data,
        n3,
      ).map((v, j) => v + extra.data[j]!);
      const fresh = h!.map((_, u) => {
        const k = 2 * units + u;
        return Math.tanh(z[k]! + (resetAfter ? r[u]! * product[k]! : before[k]!));
      });
      return [h!.map((v, u) => (1 - update[u]!) * fresh[u]! + update[u]! * v)];
    };
    const want = loop(x, kernel, bias, 1, step);
    const got = evaluateOp(
      (a, k, r, b, e) =>
        gru(a!, { kernel: k!, recurrent: r!, bias: b! }, { recurrentBias: e!, resetAfter }).outputs,
      ...operands,
    );
    close(t, got, want.outputs, `resetAfter: ${resetAfter}`);
  }
});

t.test('rnn', async (t) => {
  const operands = gates(1);
  const [x, kernel, recurrent, bias] = operands as [HostTensor, HostTensor, HostTensor, HostTensor];
  const want = loop(x, kernel, bias, 1, (z, [h]) => [
    times(h!, recurrent.data, units).map((v, u) => Math.tanh(v + z[u]!)),
  ]);
  const got = evaluateOp(
    (a, k, r, b) => rnn(a!, { kernel: k!, recurrent: r!, bias: b! }).outputs,
    ...operands,
  );
  close(t, got, want.outputs, 'outputs');
});

t.test('attention', async (t) => {
  const [q, k, v] = [draw([2, 3, 4], 1), draw([2, 5, 4], 2), draw([2, 5, 2], 3)];
  const allowed = Array.from({ length: 15 }, (_, i) => Number(i % 5 <= Math.floor(i / 5) + 2));
  const row = (x: HostTensor, n: number, i: number): number[] => {
    const d = x.type.shape[2]!;
    const at = (n * x.type.shape[1]! + i) * d;
    return [...x.data.slice(at, at + d)];
  };
  const want: number[] = [];
  for (let n = 0; n < 2; n++)
    for (let i = 0; i < 3; i++) {
      const weights = Array.from({ length: 5 }, (_, j) => {
        const product = row(q, n, i).reduce((s, a, d) => s + a * row(k, n, j)[d]!, 0);
        return allowed[i * 5 + j] ? Math.exp(product / 2) : 0;
      });
      const total = weights.reduce((a, b) => a + b, 0);
      for (let d = 0; d < 2; d++)
        want.push(weights.reduce((s, w, j) => s + (w / total) * row(v, n, j)[d]!, 0));
    }
  close(
    t,
    evaluateOp((...x) => attention(x[0]!, x[1]!, x[2]!, { causal: true }), q, k, v),
    want,
    'causal',
  );
  const mask = host([3, 5], allowed, 'bool');
  close(
    t,
    evaluateOp((...x) => attention(x[0]!, x[1]!, x[2]!, { mask: x[3]! }), q, k, v, mask),
    want,
    'mask',
  );
  const heads = draw([2, 3, 8], 4);
  t.same(
    evaluateOp((x) => joinHeads(splitHeads(x!, 4)), heads),
    [...heads.data],
  );
});

t.test('positions', async (t) => {
  const codes = evaluateOp((x) => [sinusoidalPositions(3, 4), x!], host([], [0]));
  const at = (p: number): number[] => [Math.sin(p), Math.cos(p), Math.sin(p / 100), Math.cos(p / 100)];
  t.ok(codes.every((c, i) => Math.abs(c - at(Math.floor(i / 4))[i % 4]!) < 1e-12));
  // Products of turned vectors depend on the distance of their positions alone.
  const x = draw([1, 6], 7);
  const rows = (offset: number): number[] => evaluateOp((v) => rotary(v!, { offset }), x);
  const product = (a: number[], b: number[]): number => a.reduce((s, v, i) => s + v * b[i]!, 0);
  t.ok(Math.abs(product(rows(3), rows(5)) - product(rows(10), rows(12))) < 1e-9);
  close(t, rows(0), [...x.data], 'position 0 turns nothing');
});

t.test('gradients', async (t) => {
  const lstmBuild = (...v: Node[]): Node[] => {
    const r = lstm(v[0]!, { kernel: v[1]!, recurrent: v[2]!, bias: v[3]! }, { reverse: true });
    return [r.outputs, r.cell];
  };
  const gruBuild = (...v: Node[]): Node => gru(v[0]!, { kernel: v[1]!, recurrent: v[2]!, bias: v[3]! }).state;
  const attend = (...v: Node[]): Node => attention(rotary(v[0]!), rotary(v[0]!), v[0]!, { causal: true });
  for (const [name, build, operands, order] of [
    ['lstm', lstmBuild, gates(4), 1],
    ['gru', gruBuild, gates(3), 1],
    ['attention', attend, [draw([2, 3, 4])], 2],
  ] as const) {
    const { inputs, outputs, values } = graphOf(build, operands);
    const check = { outputs, inputs, values, random: seededRandom(3), elements: 4, order } as const;
    t.same(checkGradients(check), [], name);
  }
});

t.test('targets agree with the interpreter', async (t) => {
  const executor = await Executor.create({ threads: 2 });
  try {
    const build = (...v: Node[]): Node[] => {
      const r = lstm(v[0]!, { kernel: v[1]!, recurrent: v[2]!, bias: v[3]! });
      const back = lstm(v[0]!, { kernel: v[1]!, recurrent: v[2]!, bias: v[3]! }, { reverse: true });
      const loss = sum(attention(r.outputs, back.outputs, r.outputs, { causal: true })) as Node;
      return [loss, ...grad(loss, v)];
    };
    t.same(await compiledDisagreements(executor, build, ...gates(4)), []);
  } finally {
    await executor.dispose();
  }
});

t.test('errors say what to write', async (t) => {
  const [x, kernel, recurrent] = graphOf((...v) => v[0]!, gates(4)).inputs as [Node, Node, Node];
  t.throws(() => lstm(kernel, { kernel, recurrent }), {
    code: 'HDL0001',
    message: /x is \[T, N, features\]/,
  });
  t.throws(() => gru(x, { kernel, recurrent }), { code: 'HDL0001' });
  t.throws(() => splitHeads(x, 2), { code: 'HDL0001', message: /2 heads divide evenly/ });
  t.throws(() => sinusoidalPositions(3, 5), { code: 'HDL0003', message: /even/ });
});
