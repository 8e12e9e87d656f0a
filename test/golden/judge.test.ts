// The judge of ../shared, over all its cases, driving the built package through test/judge/adapter.mjs: nothing
// fails, and nothing is skipped. The suites: graphs with gradients and training, and ONNX operators and models.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { missing, sharedFolder } from '../support/shared.ts';

const adapter = fileURLToPath(new URL('../../../test/judge/adapter.mjs', import.meta.url));

interface Suite {
  readonly name: string;
  readonly folders: readonly string[];
  /** As many cases pass at least. */
  readonly cases: number;
}

const graphs: Suite = {
  name: 'graphs',
  folders: ['golden/cases', 'golden/optim', 'golden/train', 'fuzz-graphs'],
  cases: 200,
};
/** What the interpreter, which computes each element by itself, has the time for. */
const small: Suite = { name: 'small graphs', folders: ['golden/cases', 'fuzz-graphs'], cases: 200 };
const onnx: Suite = { name: 'onnx', folders: ['onnx-cases', 'onnx-models'], cases: 600 };

function judge(suite: Suite, environment: Record<string, string>): Promise<{ code: number; output: string }> {
  const folders = suite.folders.map((d) => `${sharedFolder}/${d}`);
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
for (const [suite, target, threads, relaxed] of [
  [graphs, 'wasm', '1', '0'],
  [graphs, 'wasm', '1', '1'],
  [graphs, 'wasm', '2', '1'],
  [graphs, 'js', '1', '0'],
  [small, 'exact', '1', '0'],
  [small, 'reference', '1', '0'],
  [onnx, 'wasm', '1', '0'],
  [onnx, 'wasm', '2', '1'],
  [onnx, 'js', '1', '0'],
  [onnx, 'reference', '1', '0'],
] as const) {
  t.test(
    `judged: ${suite.name} on ${target}, ${threads} worker(s), ${relaxed === '1' ? 'relaxed' : 'not relaxed'}`,
    { skip: missing('judge/judge.mjs') || missing(suite.folders[0]!), timeout: 1_800_000 },
    async (t) => {
      const { code, output } = await judge(suite, {
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
      t.ok(Number(counts?.[1] ?? 0) >= suite.cases, `at least ${suite.cases} cases pass`);
      t.equal(code, 0);
    },
  );
}
