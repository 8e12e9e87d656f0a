// The command `heddle` as a process: verbs, exit codes, what goes to which stream, and no stack trace for a user's mistake.
// Modules are TypeScript, in a folder of their own that has no package: on every version of Node.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { parseGraph } from '../../compiler/graph/parse.ts';
import { registry } from '../../compiler/ops/registry.ts';
import { parsePlan } from '../../compiler/schedule/parse-plan.ts';

const bin = fileURLToPath(new URL('../../../bin/heddle.mjs', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'heddle-cli-'));
t.teardown(() => rm(folder, { recursive: true }));

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** In a process of its own. */
function spawned(...args: readonly string[]): Promise<Result> {
  const env = { ...process.env, HEDDLE_VERIFY: '', NODE_OPTIONS: '' };
  return new Promise((resolve) => {
    execFile(process.execPath, [bin, ...args], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** All in one other process, one after the other, which is quicker. */
const driver = spawn(
  process.execPath,
  [fileURLToPath(new URL('../support/cli-driver.js', import.meta.url))],
  {
    cwd: folder,
    env: { ...process.env, HEDDLE_VERIFY: '1', NODE_OPTIONS: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  },
);
const answers = createInterface({ input: driver.stdout })[Symbol.asyncIterator]();
t.teardown(() => driver.kill());

async function heddle(...args: readonly string[]): Promise<Result> {
  driver.stdin.write(`${JSON.stringify(args)}\n`);
  const { value, done } = await answers.next();
  if (done) throw new Error(`the driver ended at ${args.join(' ')}`);
  return JSON.parse(value) as Result;
}

const modules: Record<string, string> = {
  'net.ts': `
    import { program as make, entry, grad, initializers, mean, mul, square, sub, sum, tensor, variable } from 'heddle';
    import type { ProgramOptions } from 'heddle';
    import { rate } from './rate.ts';
    const w = variable('w', [2], initializers.zeros());
    interface Unused { readonly a?: number }
    export function program(options: ProgramOptions = {}) {
      return make({
        train: entry({ x: tensor(['batch', 2]), y: tensor(['batch']) }, ({ x, y }, ctx) => {
          const loss = mean(square(sub(sum(mul(x, w), 1), y))) satisfies unknown;
          const [dw] = grad(loss, [w]);
          ctx.assign(w, sub(w, mul(rate as number, dw!)));
          return { loss };
        }, { training: true }),
        predict: entry({ x: tensor(['n', 2]) }, ({ x }) => ({ y: sum(mul(x, w), 1) })),
      }, { threads: 1, ...options });
    }
    export const made = program();
  `,
  'rate.ts': 'export const rate: number = 0.1;',
  'model.mjs': `
    import { Model, nn } from 'heddle';
    export default new Model({ input: [4] }).add(nn.dense(3)).compile({ threads: 1 });
  `,
  'nothing.ts': 'export const x: number = 1;',
  'text.ts': "export default 'a program' as string;",
  'throws.ts':
    "const f = (): never => {\n  throw new Error('out of paper');\n};\nf();\nexport const program = 1;",
  'syntax.ts': 'export const program = ;',
  'wrong.ts': `
    import { program as make, entry, matmul, tensor } from 'heddle';
    export const program = make({ f: entry({ x: tensor([2, 3]) }, ({ x }) => ({ y: matmul(x as never, x as never) })) });
  `,
};
modules['again.ts'] = modules['wrong.ts']!;
for (const [name, text] of Object.entries(modules)) await writeFile(join(folder, name), text);

t.test('dump: short, whole, one kernel, JSON, DOT', async (t) => {
  const plan = await heddle('dump', 'net.ts', '--dims', 'batch=4');
  t.same([plan.code, plan.stderr], [0, '']);
  t.match(plan.stdout, /^plan train for wasm/);

  const whole = await heddle('dump', 'net.ts', 'plan', '--full');
  t.equal(whole.stderr, 'heddle: batch=32, since --dims does not say\n');
  const blobs = { get: () => new Uint8Array(Number(/code #\w+ (\d+)/.exec(whole.stdout)![1])) } as never;
  t.equal(parsePlan(whole.stdout, { blobs }).manifest.entry, 'train');

  const graph = await heddle('dump', 'net.ts', 'graph', '--full', '--entry', 'predict', '--dims', 'n=3');
  t.equal(parseGraph(graph.stdout, { ops: registry }).name, 'predict');
  t.match(graph.stdout, /net\.ts:\d+:\d+/, 'with lines of the TypeScript file');

  const json = JSON.parse((await heddle('dump', 'net.ts', '--json')).stdout) as {
    kernels: { text: string }[];
  };
  const kernel = await heddle('dump', 'net.ts', '--kernel', '1');
  t.equal(kernel.stdout, json.kernels[1]!.text);
  t.match((await heddle('dump', 'net.ts', '--dot')).stdout, /^digraph train \{|^digraph "train" \{/);
  t.match(
    (await heddle('dump', 'net.ts', '--passes', '--only-changed')).stdout,
    /^simplify: \d+ → \d+ nodes\n/,
  );
  const before = await heddle('dump', 'net.ts', '--before', 'simplify', '--full');
  const after = await heddle('dump', 'net.ts', '--after', 'simplify', '--full');
  t.ok(before.stdout.split('\n').length > after.stdout.split('\n').length);
});

t.test('diff: what changed between two compilations', async (t) => {
  await heddle('dump', 'net.ts', '--json', '--dims', 'batch=4', '-o', 'before.json');
  const same = await heddle('diff', 'before.json', 'net.ts', '--dims', 'batch=4', '--exit-code');
  t.equal(same.code, 0);
  t.match(same.stdout, /^train and train: the plans are equal\n[\s\S]*declared graph: no change\n/u);
  const other = await heddle('diff', 'before.json', 'net.ts', '--dims', 'batch=8', '--exit-code');
  t.equal(other.code, 1);
  t.match(other.stdout, / ~ x: type f32\[4, 2\] → f32\[8, 2\]\n/);
  const asFlag = await heddle('dump', 'net.ts', '--dims', 'batch=8', '--diff', 'before.json');
  t.equal(asFlag.stdout, other.stdout);
  const json = JSON.parse((await heddle('diff', 'net.ts', 'net.ts', '--json')).stdout) as {
    isEqual: boolean;
  };
  t.ok(json.isEqual);
});

t.test('run, profile, check', async (t) => {
  await writeFile(join(folder, 'feeds.json'), JSON.stringify({ x: [[1, 2]] }));
  const run = await heddle(
    'run',
    'net.ts',
    '--entry',
    'predict',
    '--dims',
    'n=1',
    '--inputs',
    'feeds.json',
    '--json',
  );
  t.same(JSON.parse(run.stdout), { y: { dtype: 'f32', shape: [1], data: [0] } });
  t.match(
    (await heddle('run', 'model.mjs', '--dims', 'batch=2')).stdout,
    /^output: f32\[2, 3\] |^\w+: f32\[2, 3\] /,
  );

  const profile = await heddle('profile', 'net.ts', '--runs', '2', '--json', '--trace', 'trace.json');
  t.equal((JSON.parse(profile.stdout) as { runs: number }).runs, 2);
  t.ok(
    (JSON.parse(await readFile(join(folder, 'trace.json'), 'utf8')) as { traceEvents: [] }).traceEvents
      .length,
  );
  t.match((await heddle('profile', 'net.ts', '--runs', '2')).stdout, /^train\(batch=32\): \d+ steps/);

  const check = await heddle('check', 'net.ts', '--dims', 'n=3');
  t.equal(check.code, 0);
  t.match(
    check.stdout,
    /^train\(batch=32\): fine; \d+ steps proved safe in [\d.]+ s\npredict\(n=3\): fine; /,
  );
  const wrong = await heddle('check', 'wrong.ts');
  t.equal(wrong.code, 1);
  t.match(wrong.stdout, /^f: HDL0001: /);
});

t.test('doctor', async (t) => {
  const { code, stdout } = await heddle('doctor', '--json');
  t.equal(code, 0);
  const { findings } = JSON.parse(stdout) as { findings: { id: string; state: string; means: string }[] };
  t.same(
    findings.map((f) => f.id),
    ['node', 'simd', 'relaxed-simd', 'shared-memory', 'threads', 'cores', 'memory', 'c-compiler'],
  );
  t.ok(findings.every((f) => f.means !== ''));
  t.match((await heddle('doctor')).stdout, /^ok {2}Node {15}Node \d+/);
});

t.test('mistakes: one message, no stack trace, exit code 1', async (t) => {
  const cases: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['dump', 'gone.ts'], /^heddle: there is no file gone\.ts\n$/],
    [
      ['dump', 'nothing.ts'],
      /nothing\.ts exports no program: one of program, default, model\n {2}it exports x\n/,
    ],
    [['dump', 'net.ts', '--export', 'nets'], /net\.ts exports no 'nets'\n {2}it exports made, program\n/],
    [
      ['dump', 'net.ts', '--export', 'made', '--threads', '2'],
      /--threads: export 'made' of net\.ts is a program already/,
    ],
    [['dump', 'text.ts'], /export 'default' of text\.ts is a string\n/],
    [
      ['dump', 'throws.ts'],
      /throws\.ts cannot be imported: Error: out of paper\n {2}at: {3}file:\S+throws\.ts:2:\d+\n/,
    ],
    [['dump', 'syntax.ts'], /syntax\.ts cannot be imported: SyntaxError: /],
    [['dump', 'again.ts'], /HDL0001: matmul[\s\S]* at: {3}\S*again\.ts:3:\d+\n/u],
    [['dump', 'net.ts', 'grap'], /HDL0003: dump\('grap'\)[\s\S]*did you mean 'graph'\?/u],
    [['dump', 'net.ts', 'graph', '--json'], /one stage at a time, not graph and json/],
    [['dump', 'net.ts', '--kernel', 'k'], /HDL0003: kernel "k"\n {2}rule: this plan has the kernels 0 to/],
    [
      ['dump', 'net.ts', '--entry', 'training'],
      /there is no entry 'training'\n {2}the program has train, predict/,
    ],
    [
      ['dump', 'net.ts', '--entry', 'predict'],
      /entry 'predict' needs a size for 'n'\n {2}try: {2}--dims n=32/,
    ],
    [['dump', 'net.ts', '--dims', 'bach=3'], /entry 'train' has no dimension 'bach'\n {2}it has batch/],
    [['dump', 'net.ts', '-o', 'no/such/folder'], /no\/such\/folder cannot be written: ENOENT/],
    [['run', 'net.ts', '--inputs', 'net.ts'], /net\.ts is not JSON: /],
    [['diff', 'feeds.json', 'net.ts'], /feeds\.json is no inspection of format 1\n/],
    [['plan-csv', 'gone.csv'], /gone\.csv cannot be read: ENOENT/],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await heddle(...args);
    t.equal(code, 1, args.join(' '));
    t.equal(stdout, '', args.join(' '));
    t.match(stderr, message, args.join(' '));
    t.notMatch(stderr, /^ {4}at /m, `${args.join(' ')}: no stack trace`);
  }
});

t.test('as a process', async (t) => {
  const [fine, mistake, usage] = await Promise.all([
    spawned('dump', 'net.ts', '--passes', '--dims', 'batch=4'),
    spawned('dump', 'throws.ts'),
    spawned('dump'),
  ]);
  t.match(fine, { code: 0, stdout: /^expand-regions: /, stderr: '' });
  t.match(mistake, {
    code: 1,
    stdout: '',
    stderr: /^heddle: throws\.ts cannot be imported: Error: out of paper\n/,
  });
  t.notMatch(mistake.stderr, /^ {4}at /m);
  t.match(usage, { code: 2, stdout: '', stderr: /^error: missing required argument 'module'\n/ });
});

t.test('wrong usage ends with code 2, help with 0', async (t) => {
  for (const args of [
    [],
    ['bogus'],
    ['dump'],
    ['run', 'net.ts', '--steps', 'x'],
    ['dump', 'net.ts', '--fulll'],
  ]) {
    const { code, stderr } = await heddle(...args);
    t.equal(code, 2, args.join(' '));
    t.match(stderr, /^error: |^Usage: /, args.join(' '));
  }
  t.match(await heddle('--help'), { code: 0, stdout: /^Usage: heddle /, stderr: '' });
  t.match(await heddle('run', '--help'), { code: 0, stdout: /--steps <n>/ });
  t.match((await heddle('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
});

t.test('plan-csv', async (t) => {
  await writeFile(join(folder, 'b.csv'), 'id,lower,upper,size\na,0,2,4\nb,1,3,4\nc,2,4,4\n');
  const { code, stdout } = await heddle('plan-csv', 'b.csv');
  t.equal(code, 0);
  t.match(stdout, /^a,\d+\nb,\d+\nc,\d+\nheight 8\n$/);
});
