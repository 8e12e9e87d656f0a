// Code is compiled while the rest of its plan is made: once, to the same results, and never for a memory of another kind.

import t, { type Test } from 'tap';
import { compileGraph } from '../../compiler/compile.ts';
import { add, input, matmul } from '../../compiler/ops/index.ts';
import { compileModule } from '../../runtime/compile-module.ts';
import { isUntouched, nodeEngine, underFlags } from '../../runtime/engine-flags.ts';
import { Executor } from '../../runtime/executor.ts';
import { type CodeAhead, compileAhead } from '../../runtime/kernel-code.ts';
import { graphOf } from '../support/lower-graph.ts';

const graph = () => graphOf({ y: add(matmul(input('a', [8, 8]), input('b', [8, 8])), 1) });

/** How many modules are compiled from now on. */
function countModules(t: Test): () => number {
  const { Module, compile } = WebAssembly;
  let count = 0;
  t.teardown(() => Object.assign(WebAssembly, { Module, compile }));
  Object.assign(WebAssembly, {
    Module: class extends Module {
      constructor(code: Uint8Array<ArrayBuffer>) {
        count++;
        super(code);
      }
    },
    compile: (code: Uint8Array<ArrayBuffer>) => {
      count++;
      return compile(code);
    },
  });
  return () => count;
}

t.test('the code comes before the plan, and is the code of the plan', async (t) => {
  const told: { code: Uint8Array; features: readonly string[] }[] = [];
  const { plan } = compileGraph(graph(), { onCode: (code, features) => told.push({ code, features }) });
  t.equal(told.length, 1);
  t.equal(told[0]!.code, plan.code, 'the very bytes');
  t.same(told[0]!.features, plan.manifest.features);
  t.same(compileGraph(graph()).plan, plan, 'and who asks for it gets the same plan');
});

t.test('what is compiled ahead is not compiled again, unless the memory is of another kind', async (t) => {
  for (const threads of [1, 2]) {
    for (const isShared of [true, false]) {
      const ahead: CodeAhead[] = [];
      const { plan } = compileGraph(graph(), {
        workers: [1, 2],
        onCode: (code, features) => ahead.push(compileAhead(code, features, isShared)),
      });
      const executor = await Executor.create({ threads });
      t.teardown(() => executor.dispose());
      const count = countModules(t);
      const loaded = await executor.load(plan, undefined, ahead[0]);
      t.equal(count(), threads > 1 === isShared ? 0 : 1, `${threads} threads, shared: ${isShared}`);
      const one = new Float32Array(64).fill(1);
      const { y } = await executor.run(loaded, { a: one, b: one });
      t.same([...y!.data], new Array(64).fill(9));
    }
  }
});

t.test('code that is not valid is told of when its plan is loaded', async (t) => {
  const { plan } = compileGraph(graph());
  const broken = { ...plan, code: plan.code.slice(0, -1) };
  const executor = await Executor.create({ threads: 1 });
  t.teardown(() => executor.dispose());
  const ahead = compileAhead(broken.code, plan.manifest.features, false);
  await t.rejects(executor.load(broken, undefined, ahead), { code: 'HDL1006' });
});

t.test(
  'a plan whose code is compiled ahead is checked, too, and leaves no trace when it is not well-formed',
  async (t) => {
    for (const threads of [1, 2]) {
      const { plan } = compileGraph(graph(), { workers: [1, 2] });
      const [step] = plan.manifest.steps;
      const far = { ...step!, args: step!.args.map((a) => ({ ...a, offset: plan.manifest.arenaBytes })) };
      const broken = {
        ...plan,
        manifest: { ...plan.manifest, steps: [far, ...plan.manifest.steps.slice(1)] },
      };
      const executor = await Executor.create({ threads });
      t.teardown(() => executor.dispose());
      const ahead = compileAhead(plan.code, plan.manifest.features, threads > 1);
      await t.rejects(executor.load(broken as typeof plan, undefined, ahead), { code: 'HDL1006' });
      const loaded = await executor.load(plan, undefined, compileAhead(plan.code, [], threads > 1));
      const one = new Float32Array(64).fill(1);
      const { y } = await executor.run(loaded, { a: one, b: one });
      t.same([...y!.data], new Array(64).fill(9), `${threads} threads: and goes on`);
    }
  },
);

t.test('flags are set for one stretch only, and those that the user chose are left alone', async (t) => {
  if (nodeEngine() === null) return;
  const { execArgv } = process;
  t.teardown(() => Object.assign(process, { execArgv }));
  Object.assign(process, { execArgv: ['--no-wasm-tier-up'] });
  t.equal(isUntouched('wasm'), false);
  t.equal(isUntouched('liftoff'), true);
  const code = compileGraph(graph()).plan.code.slice();
  t.ok((await compileModule(code, ['simd128'])) instanceof WebAssembly.Module);
  t.throws(() =>
    underFlags([{ name: 'wasm-lazy-compilation', to: false }], () => {
      throw new Error('in the stretch');
    }),
  );
});
