// The judge of ../shared, over all its cases, driving the built package through test/judge/adapter.mjs: nothing
// fails, and nothing is skipped.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { missing, sharedFolder } from '../support/shared.ts';

const adapter = fileURLToPath(new URL('../../../test/judge/adapter.mjs', import.meta.url));

function judge(environment: Record<string, string>): Promise<{ code: number; output: string }> {
  const folders = ['golden/cases', 'golden/optim', 'golden/train', 'fuzz-graphs'].map(
    (d) => `${sharedFolder}/${d}`,
  );
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [`${sharedFolder}/judge/judge.mjs`, '--adapter', adapter, ...folders],
      { env: { ...process.env, ...environment }, maxBuffer: 1 << 24 },
      (error, stdout, stderr) => resolve({ code: error ? 1 : 0, output: stdout + stderr }),
    );
  });
}

// Without fused multiply-add, and with it where the engine has it.
for (const [target, threads, relaxed] of [
  ['wasm', '1', '0'],
  ['wasm', '1', '1'],
  ['wasm', '2', '1'],
  ['js', '1', '0'],
] as const) {
  t.test(
    `judged: ${target}, ${threads} worker(s), ${relaxed === '1' ? 'relaxed' : 'not relaxed'}`,
    { skip: missing('judge/judge.mjs'), timeout: 1_800_000 },
    async (t) => {
      const { code, output } = await judge({
        HEDDLE_TARGET: target,
        HEDDLE_THREADS: threads,
        HEDDLE_RELAXED: relaxed,
      });
      const last = output.trim().split('\n').at(-1) ?? '';
      const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(last);
      t.ok(counts, 'the judge ran to its end', { output: output.slice(-2000) });
      t.comment(last);
      t.equal(counts?.[2], '0', 'nothing fails', {
        failures: output.split('\n').filter((l) => l.startsWith('FAILED')),
      });
      t.equal(counts?.[3], '0', 'nothing is skipped');
      t.ok(Number(counts?.[1] ?? 0) >= 200, 'at least 200 cases pass');
      t.equal(code, 0);
    },
  );
}
