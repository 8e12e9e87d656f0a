// A net over sequences, trained by a program: its entry holds loops. The same bits for one worker and for two, step by step,
// in one call, and with inputs written where workers read them.

import t from 'tap';
import * as h from '../../src/index.ts';

const [batch, length, features, steps] = [4, 9, 3, 6];
const draws = h.random(5, 'sequences');
const all = Float32Array.from({ length: steps * batch * length * features }, () => 2 * draws.uniform() - 1);
const size = batch * length * features;
const batchAt = (step: number): Float32Array => all.subarray(step * size, (step + 1) * size);

function makeProgram(threads: number) {
  const { lstm, dense, sequential } = h.nn;
  const net = sequential([lstm(8, { bidirectional: true }), dense(features)]);
  return h.program(
    {
      train: h.entry({ x: h.tensor(['batch', length, features]) }, ({ x }, ctx) => {
        const loss = h.mean(h.square(h.sub(net.apply(x, ctx), h.flip(x, 1))));
        const parameters = h.parametersOf(loss);
        h.optimizers.adam({ learningRate: 0.05 }).update(parameters, h.grad(loss, parameters), ctx);
        return { loss };
      }),
    },
    { seed: 3, threads },
  );
}

type Made = ReturnType<typeof makeProgram>;
const state = (p: Made): unknown => p.variables().map(({ name }) => [name, [...p.get(name).data]]);

async function stepByStep(p: Made): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < steps; step++)
    losses.push((await p.run('train', { x: batchAt(step) })).loss.data[0]!);
  return losses;
}

t.test('however it is run', async (t) => {
  const one = makeProgram(1);
  const wanted = await stepByStep(one);
  const after = state(one);
  t.equal(new Set(wanted).size, steps);
  t.ok(one.inspect({ entry: 'train' }).manifest.loops!.length >= 2, 'both directions, forth and back');

  const two = makeProgram(2);
  t.same(await stepByStep(two), wanted);
  t.same(state(two), after);

  const atOnce = makeProgram(2);
  const feed = Array.from({ length: steps }, (_, step) => ({ x: batchAt(step) }));
  const { loss } = await atOnce.run('train', { steps, feed });
  t.same([...loss.data], wanted);
  t.same(state(atOnce), after);

  const inPlace = makeProgram(2);
  const views = await inPlace.inputs('train', { batch });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    views.x.set(batchAt(step));
    losses.push((await inPlace.run('train', views)).loss.data[0]!);
  }
  t.same(losses, wanted);
  t.same(state(inPlace), after);

  for (const p of [one, two, atOnce, inPlace]) await p.dispose();
});
