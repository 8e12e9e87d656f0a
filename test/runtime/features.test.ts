// Engine features: found without a trace in the process, refused with the reason.

import { execFileSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import { input, matmul } from '../../compiler/ops/index.ts';
import { compileModule } from '../../runtime/compile-module.ts';
import { Executor } from '../../runtime/executor.ts';
import { featureObstacle, relaxedSimd, requireFeatures } from '../../runtime/features.ts';
import type { Plan } from '../../runtime/plan.ts';
import { errorOf } from '../support/error-of.ts';
import { graphOf } from '../support/lower-graph.ts';

const skip = featureObstacle(relaxedSimd) ?? false;

/** A product of matrices: its inner loop is multiply-add. */
function product(): Plan {
  const graph = graphOf({ y: matmul(input('a', [8, 32]), input('b', [32, 16])) });
  return compileGraph(graph, { workers: [1, 2], relaxed: true }).plan;
}

/** An engine that takes no code, for the length of a test. */
function withoutFeatures(t: Test): void {
  const { validate } = WebAssembly;
  t.teardown(() => {
    Object.assign(WebAssembly, { validate });
  });
  Object.assign(WebAssembly, { validate: () => false });
}

function withEnvironment(t: Test, name: string, value: string | undefined): void {
  const before = process.env[name];
  t.teardown(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

t.test('every engine that runs these tests has vectors', async (t) => {
  t.equal(featureObstacle('simd128'), null);
  t.equal(featureObstacle('simd256'), 'this runtime does not know it');
  t.equal(featureObstacle('toString'), 'this runtime does not know it');
});

t.test('the environment refuses fused multiply-add, and nothing else', async (t) => {
  withEnvironment(t, 'HEDDLE_RELAXED', '0');
  t.equal(featureObstacle(relaxedSimd), 'HEDDLE_RELAXED=0 refuses it');
  t.equal(featureObstacle('simd128'), null);
  t.equal(
    errorOf(() => requireFeatures('train', ['simd128', relaxedSimd])),
    "HDL1006: plan 'train' cannot be loaded: it needs relaxed-simd, and HEDDLE_RELAXED=0 refuses it:" +
      ' a plan runs where all features are that its code needs: simd128, relaxed-simd' +
      ' (compile it with relaxed: false, or save the program with variants: true)',
  );
});

t.test('an engine without a feature says so before it is given the code', async (t) => {
  withEnvironment(t, 'HEDDLE_RELAXED', undefined);
  withoutFeatures(t);
  t.equal(featureObstacle(relaxedSimd), 'this engine does not have it');
  const executor = await Executor.create({ threads: 1 });
  t.teardown(() => executor.dispose());
  await t.rejects(executor.load(product()), {
    message: `HDL1006: plan 'test' cannot be loaded: it needs simd128, and this engine does not have it; it needs relaxed-simd, and this engine does not have it
  rule: a plan runs where all features are that its code needs: simd128, relaxed-simd
  try:  compile it with relaxed: false, or save the program with variants: true`,
  });
  t.equal(
    errorOf(() => requireFeatures('train', ['simd128'])),
    "HDL1006: plan 'train' cannot be loaded: it needs simd128, and this engine does not have it:" +
      ' a plan runs where all features are that its code needs: simd128' +
      " (compile it for target 'js', or run it in an engine that has these features)",
  );
});

t.test('the process is left as it was found', { skip }, async (t) => {
  const code = new Uint8Array(product().code);
  const before = WebAssembly.validate(code);
  featureObstacle(relaxedSimd);
  const module = await compileModule(code, ['simd128', relaxedSimd]);
  t.ok(WebAssembly.Module.exports(module).length > 0);
  t.equal(WebAssembly.validate(code), before);
  await t.rejects(
    compileModule(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 99]), [relaxedSimd]),
    WebAssembly.CompileError,
    'code that is not valid is so with the feature, too',
  );
  t.equal(WebAssembly.validate(code), before);
});

t.test(
  'fused code runs in threads that were started before and after it was compiled',
  { skip },
  async (t) => {
    const a = Float32Array.from({ length: 8 * 32 }, (_, i) => Math.sin(i));
    const b = Float32Array.from({ length: 32 * 16 }, (_, i) => Math.cos(i));
    const results: (readonly number[])[] = [];
    const first = await Executor.create({ threads: 2 });
    const plan = product();
    const loaded = await first.load(plan);
    const second = await Executor.create({ threads: 2 });
    const later = await second.load(plan);
    const inline = await Executor.create({ threads: 1 });
    const alone = await inline.load(plan);
    // Often enough for the engine to optimise it.
    for (let i = 0; i < 200; i++) await first.run(loaded, { a, b });
    for (const [executor, which] of [
      [first, loaded],
      [second, later],
      [inline, alone],
    ] as const) {
      results.push([...(await executor.run(which, { a, b }))['y']!.data]);
      await executor.dispose();
    }
    t.same(results[1], results[0], 'the same bits');
    t.same(results[2], results[0], 'the same bits in one thread');
    const exact = Array.from({ length: 8 * 16 }, (_, k) => {
      let sum = 0;
      for (let i = 0; i < 32; i++) sum += a[Math.floor(k / 16) * 32 + i]! * b[i * 16 + (k % 16)]!;
      return sum;
    });
    t.ok(
      exact.every((x, k) => Math.abs(x - results[0]![k]!) <= 4e-6),
      'what float64 computes',
    );
  },
);

t.test('nothing is printed, whatever the version of the engine', async (t) => {
  const url = new URL('../../runtime/features.js', import.meta.url).href;
  const script = `const { featureObstacle } = await import(${JSON.stringify(url)}); console.log(featureObstacle('relaxed-simd'));`;
  const { HEDDLE_RELAXED: _, ...env } = process.env;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.match(output, /^(null|this engine does not have it)\n$/);
});

t.test('a host that lets nobody make code from text is told what target js needs', async (t) => {
  const url = new URL('../../src/index.js', import.meta.url).href;
  const script = `const h = await import(${JSON.stringify(url)});
    const p = h.program({ f: h.entry({ x: h.tensor([2]) }, ({ x }) => ({ y: x })) }, { target: 'js', threads: 1 });
    await p.run('f', { x: [1, 2] }).catch((error) => console.log(error.message));`;
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '-e', script];
  t.equal(
    execFileSync(process.execPath, flags, { encoding: 'utf8' }),
    "HDL1006: plan 'f' cannot be loaded: code may not be made here: Code generation from strings disallowed for this context\n" +
      "  rule: where a content security policy holds, it has to allow 'unsafe-eval' for target 'js', in the answers that bring the page and worker.js\n" +
      "  try:  compile it for target 'wasm', which needs 'wasm-unsafe-eval' alone, or serve both with Content-Security-Policy: script-src 'self' 'unsafe-eval'\n",
  );
});
