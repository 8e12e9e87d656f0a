// The NumPy reference that the benchmark compares with computes what the experiments compute: its first losses are theirs. Where Python
// with NumPy is not at hand, it is left out.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { experiments } from '../../examples/experiments/index.ts';
import { missing, sharedFolder } from '../support/shared.ts';

const reference = fileURLToPath(new URL('../../../bench/numpy/reference.py', import.meta.url));
const hasNumpy = spawnSync('python3', ['-c', 'import numpy']).status === 0;
const names = experiments
  .filter((e) => /^(spiral|linreg|product|circles|moons|mnist)/.test(e.name))
  .map((e) => e.name);

for (const name of names) {
  const { needs, run } = experiments.find((e) => e.name === name)!;
  const skip = hasNumpy ? needs !== undefined && missing(`data/${needs}`) : 'python3 with numpy is not here';
  t.test(name, { skip }, async (t) => {
    const { stdout, stderr } = spawnSync('python3', [reference, name, `${sharedFolder}/data/mnist`], {
      input: '12\n',
      encoding: 'utf8',
    });
    const { losses: wanted, seconds } = JSON.parse(stdout || '{}') as { losses?: number[]; seconds?: number };
    t.equal(wanted?.length, 12, stderr);
    t.ok(seconds! > 0);
    const { losses } = await run(1, { steps: 12, data: `${sharedFolder}/data` });
    wanted!.forEach((w, i) => {
      t.ok(Math.abs(losses[i]! - w) <= 1e-5 * w, `step ${i}: ${losses[i]}, ${w}`);
    });
  });
}
