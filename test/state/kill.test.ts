// kill -9 at a random moment of a training that saves checkpoints: what is on the disk is always whole, and the training that goes on
// from it ends with the bits of one that was never stopped. 50 times with HEDDLE_LONG=1 (`npm run test:long`), else 2.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { random, state } from '../../src/index.ts';
import { train } from '../support/children.ts';

const rounds = process.env['HEDDLE_LONG'] === '1' ? 50 : 2;
const folder = await mkdtemp(join(tmpdir(), 'heddle-'));
t.teardown(() => rm(folder, { recursive: true }));

/** Steps of the whole training. */
const steps = 60;

t.test(`killed in ${rounds} trainings`, async (t) => {
  const draw = random(1, 'kill');
  const whole = join(folder, 'whole.json');
  await train([join(folder, 'whole.safetensors'), whole]);
  const want = await readFile(whole, 'utf8');
  let killed = 0;
  let found = 0;
  for (let round = 0; round < rounds; round++) {
    const path = join(folder, `${round}.safetensors`);
    const outcome = join(folder, `${round}.json`);
    // One to three kills, then the rest in peace.
    for (let left = 1 + draw.int(3), isDone = false; !isDone; left--) {
      // So many milliseconds after some step has been told: in a step, while a checkpoint is written, or between.
      const at = 1 + draw.int(steps - 1);
      const ms = draw.uniform(0, 12);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = await train([path, outcome], (output, kill) => {
        const step = Number(/step (\d+)\n$/.exec(output)?.[1] ?? 0);
        if (left > 0 && step >= at) timer ??= setTimeout(() => kill('SIGKILL'), ms);
      });
      clearTimeout(timer);
      isDone = end.signal === null;
      if (isDone) t.equal(end.code, 0, end.stderr);
      else killed++;
      const file = await readFile(path).catch(() => null);
      if (file === null) continue;
      found++;
      // Throws for a file that is not whole.
      state.readSafetensors(file);
    }
    t.equal(await readFile(outcome, 'utf8'), want, `round ${round}`);
  }
  t.ok(killed > 0 && found > 0, `${killed} kills, ${found} times a checkpoint was there, and whole`);
});
