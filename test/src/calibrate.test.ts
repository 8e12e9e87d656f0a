// Given constants of a machine, measured or absurd, when a program is compiled for it, then other workers get other parts of
// the work and every bit stays. No test looks at how long anything took.

import t from 'tap';
import { compilationKey } from '../../compiler/key.ts';
import { loadPlans } from '../../runtime/file.ts';
import * as h from '../../src/index.ts';
import { errorOf } from '../support/error-of.ts';
import { graphOf } from '../support/lower-graph.ts';

const usual: h.Machine = {
  flopsPerNs: 30,
  bytesPerNs: 16,
  nearBytesPerNs: 48,
  callNs: 60,
  barrierNs: 500,
  wakeNs: 4000,
};
const absurd: Record<string, h.Machine> = {
  'company is free': { ...usual, callNs: 1e-9, barrierNs: 1e-9, wakeNs: 1e-9 },
  'company costs a day': { ...usual, barrierNs: 1e14, wakeNs: 1e14 },
  'memory stands still': { ...usual, bytesPerNs: 1e-9, nearBytesPerNs: 1e-9 },
  'arithmetic stands still': { ...usual, flopsPerNs: 1e-12 },
};

function makeProgram(machine?: h.Machine) {
  const net = h.nn.sequential([
    h.nn.conv2d(6, 3, { padding: 1 }),
    h.nn.relu(),
    h.nn.flatten(),
    h.nn.dense(10),
  ]);
  const train = h.entry(
    { x: h.tensor([8, 2, 9, 9]), y: h.tensor([8], 'i32') },
    ({ x, y }, ctx) => {
      const loss = h.losses.softmaxCrossEntropy(net.apply(x, ctx), y);
      const parameters = h.parametersOf(loss);
      h.optimizers
        .sgd({ learningRate: 0.1, momentum: 0.9 })
        .update(parameters, h.grad(loss, parameters), ctx);
      return { loss };
    },
    { training: true },
  );
  return h.program({ train }, { machine, threads: 2, relaxed: false });
}

/** Three steps: losses and parameters; how many workers have work. */
async function steps(machine?: h.Machine): Promise<{ bits: unknown; workers: number }> {
  const p = makeProgram(machine);
  const x = Float32Array.from({ length: 8 * 2 * 81 }, (_, i) => Math.sin(i * i));
  const y = Int32Array.from({ length: 8 }, (_, i) => i);
  const seen: number[] = [];
  for (let step = 0; step < 3; step++) seen.push(...(await p.run('train', { x, y })).loss.data);
  const bits = [seen, ...p.variables().map(({ name }) => [name, Array.from(p.get(name).data)])];
  const { lists } = loadPlans(await p.save()).plans[0]!.manifest.schedules.find((s) => s.workers === 2)!;
  await p.dispose();
  return { bits, workers: lists.filter((list) => list.some((item) => item.do === 'run')).length };
}

t.test('absurd machines: other schedules, same bits', async (t) => {
  const expected = await steps();
  const counts = new Set<number>();
  for (const [name, machine] of Object.entries(absurd)) {
    const { bits, workers } = await steps(machine);
    t.same(bits, expected.bits, name);
    counts.add(workers);
  }
  t.same([...counts].sort(), [1, 2], 'some leave everything to one worker');
});

t.test('what is measured is JSON that programs take', { timeout: 120_000 }, async (t) => {
  for (const threads of [1, 2]) {
    const machine = await h.calibrate({ threads });
    t.same(Object.keys(machine).sort(), Object.keys(usual).sort());
    t.ok(Object.values(machine).every((x) => Number.isFinite(x) && x > 0));
    const { bits } = await steps(JSON.parse(JSON.stringify(machine)) as h.Machine);
    t.same(bits, (await steps()).bits);
  }
});

t.test('the machine is part of the key, whatever the order of its constants', async (t) => {
  const graph = graphOf({ y: h.exp(h.input('x', [4])) });
  const reversed = Object.fromEntries(Object.entries(usual).reverse()) as unknown as h.Machine;
  t.equal(compilationKey(graph, { machine: usual }), compilationKey(graph, { machine: reversed }));
  const keys = [undefined, usual, ...Object.values(absurd)].map((machine) =>
    compilationKey(graph, machine ? { machine } : {}),
  );
  t.equal(new Set(keys).size, keys.length);
});

t.test('constants that are none', async (t) => {
  for (const callNs of [0, -1, Number.NaN, undefined as unknown as number])
    t.equal(
      errorOf(() => makeProgram({ ...usual, callNs })),
      `HDL0003: machine.callNs is ${callNs}: a machine has a positive number for each of flopsPerNs, bytesPerNs, ` +
        'nearBytesPerNs, callNs, barrierNs, wakeNs (pass what calibrate() returned, or JSON of it; leave it out for usual values)',
    );
});
