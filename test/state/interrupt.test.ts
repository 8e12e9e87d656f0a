// Ctrl-C while training: the state is saved after the step in flight, the process ends with status 130, and a later one goes on as
// if nothing had happened.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { callbacks, losses, Model, nn, optimizers, state } from '../../src/index.ts';
import { train } from '../support/children.ts';

const folder = await mkdtemp(join(tmpdir(), 'heddle-'));
t.teardown(() => rm(folder, { recursive: true }));
const whole = join(folder, 'whole.json');
const ended = await train([join(folder, 'whole.safetensors'), whole]);

t.test('a training without interruption ends with status 0', async (t) => {
  t.same([ended.code, ended.signal], [0, null], ended.stderr);
});

t.test('Ctrl-C saves the state and ends with 130; resumed, the bits are the same', async (t) => {
  const path = join(folder, 'half.safetensors');
  const outcome = join(folder, 'half.json');
  let isSent = false;
  const first = await train([path, outcome], (output, kill) => {
    if (isSent || !/step 20\n/.test(output)) return;
    isSent = true;
    kill('SIGINT');
  });
  t.same([first.code, first.signal], [130, null], first.stderr);
  const [, at] =
    /interrupted at step (\d+): the state is saved to (.*half\.safetensors); fit\(\{ resume \}\) goes on/.exec(
      first.stderr,
    ) ?? [];
  t.ok(Number(at) >= 20 && Number(at) < 60, `it stopped at step ${at}`);
  t.match(first.stdout, new RegExp(`step ${at}\n$`), 'after the step in flight');
  t.notMatch(first.stdout, /done/);
  const { training } = JSON.parse(state.readSafetensors(await readFile(path)).metadata['heddle']!) as {
    training: { step: number };
  };
  t.equal(training.step, Number(at));
  const second = await train([path, outcome]);
  t.same([second.code, second.signal], [0, null], second.stderr);
  t.match(second.stdout, new RegExp(`^step ${Number(at) + 1}\n`), 'it goes on with the next step');
  t.equal(await readFile(outcome, 'utf8'), await readFile(whole, 'utf8'));
});

t.test("onInterrupt: 'return' leaves the process alone; a second Ctrl-C is nobody's", async (t) => {
  const model = new Model({ input: [1] })
    .add(nn.dense(1))
    .compile({ loss: losses.meanSquaredError, optimizer: optimizers.sgd(), threads: 1 });
  const listeners = process.listenerCount('SIGINT');
  const checkpoints: Uint8Array[] = [];
  const said: string[] = [];
  const counts: number[] = [];
  const history = await model.fit(
    { x: [[1], [2], [3], [4]], y: [[1], [2], [3], [4]] },
    {
      epochs: 100_000,
      batchSize: 2,
      verbose: false,
      callbacks: [
        callbacks.checkpoint({
          path: (bytes) => checkpoints.push(bytes),
          everyEpochs: 1_000_000,
          onInterrupt: 'return',
          sink: { write: (text) => said.push(text), isTTY: false, columns: 80 },
        }),
        {
          onBatchEnd: ({ step }) => {
            if (step !== 5) return;
            counts.push(process.listenerCount('SIGINT'));
            process.emit('SIGINT');
            counts.push(process.listenerCount('SIGINT'));
          },
        },
      ],
    },
  );
  t.same(counts, [listeners + 1, listeners], 'it listens once');
  t.equal(process.listenerCount('SIGINT'), listeners);
  t.equal(checkpoints.length, 1);
  t.equal(history['loss']!.length, 2);
  t.match(said.join(''), /interrupted at step 5: the state is saved; fit/);
  await model.dispose();
});

t.test('nobody listens after a training that failed', async (t) => {
  const model = new Model({ input: [1] }).add(nn.dense(1)).compile({
    loss: losses.meanSquaredError,
    optimizer: optimizers.sgd({ learningRate: 1e30 }),
    threads: 1,
  });
  const listeners = process.listenerCount('SIGINT');
  const failing = model.fit(
    { x: [[1]], y: [[5]] },
    { epochs: 50, verbose: false, callbacks: [callbacks.checkpoint({ path: () => {}, everyEpochs: 1000 })] },
  );
  await t.rejects(failing, { code: 'HDL1005' });
  t.equal(process.listenerCount('SIGINT'), listeners);
  await model.dispose();
});
