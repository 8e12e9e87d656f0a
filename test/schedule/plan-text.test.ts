// The text of a plan reads back as an equal plan; texts that are no plans are refused with their line. Every plan that any
// test compiles makes the round trip too: compileGraph checks it when it verifies.

import fc from 'fast-check';
import t from 'tap';
import { parsePlan } from '../../compiler/schedule/parse-plan.ts';
import { checkPlanText, differenceOf } from '../../compiler/schedule/plan-roundtrip.ts';
import { blobHash, planText } from '../../compiler/schedule/plan-text.ts';
import type { Plan, PlanManifest } from '../../runtime/plan.ts';
import { planFormat } from '../../runtime/plan.ts';
import { errorOf } from '../support/error-of.ts';

const code = new TextEncoder().encode('return {}');
const constants = new Uint8Array([1, 2, 3, 4]);
const blobs = new Map([code, constants].map((b) => [blobHash(b), b]));

/** A plan with one of everything; names as users may write them. */
function plan(name: string, more: Partial<PlanManifest> = {}): Plan {
  const manifest: PlanManifest = {
    format: planFormat,
    entry: name,
    target: 'js',
    tiles: { [name]: [4, 8] },
    features: ['simd128', name],
    arenaBytes: 4096,
    constantBytes: 4,
    inputs: [{ name, dtype: 'u8', shape: [2, 3], location: { space: 'arena', offset: 64 }, order: [1, 0] }],
    outputs: [{ name, dtype: 'f32', shape: [], location: { space: 'constant', offset: 0 }, order: [] }],
    variables: [{ name, dtype: 'i32', shape: [4], order: [0], trainable: true, updated: false }],
    kernels: [
      { name, params: [{ access: 'read', bytes: 16 }], work: { flops: 1e21, bytes: 0.5, schedule: name } },
      { name: 'k', params: [] },
    ],
    steps: [
      {
        label: name,
        kernel: 0,
        args: [{ space: 'flags' }, { space: 'variable', variable: 0, bank: 'next' }],
        units: 8,
      },
    ],
    schedules: [
      {
        workers: 2,
        lists: [
          [{ do: 'run', step: 0, begin: 0, end: 8 }, { do: 'barrier' }, { do: 'barrier', after: [] }],
          [
            { do: 'barrier', after: [0, 3] },
            { do: 'run', step: 0, begin: 3, end: 5, shared: 2 },
            { do: 'run', step: 0, begin: 0, end: 8, shared: 1 },
            { do: 'barrier' },
          ],
        ],
      },
      { workers: 1, lists: [[]] },
    ],
    sites: [
      { kind: 'finite', label: name, loc: null, size: 0 },
      { kind: 'index', label: 'l', loc: name, size: 5 },
    ],
    buffers: [{ name, offset: 0, bytes: 16, from: -1, to: 1 }],
    ...more,
  };
  return { manifest, code, constants };
}

t.test('any name, every kind of record', async (t) => {
  const back = parsePlan(planText(plan('dense/kernel')), { blobs });
  t.same(back, plan('dense/kernel'));
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (name) => {
      checkPlanText(plan(name));
    }),
    { numRuns: 100 },
  );
  const { tiles: _, ...rest } = plan('x').manifest;
  checkPlanText({ manifest: rest, code, constants });
});

t.test('what the check would find', async (t) => {
  const a = plan('x').manifest;
  t.equal(differenceOf(a, { ...a, arenaBytes: 1 }, 'manifest'), 'manifest.arenaBytes');
  t.equal(differenceOf(a, { ...a, extra: 1 }, 'manifest'), 'manifest.extra');
  t.equal(differenceOf(a, { ...a, steps: [] }, 'm'), 'm.steps[0]');
});

t.test('what is no plan is refused, with the line', async (t) => {
  const text = planText(plan('x'));
  const wrong = (from: string | RegExp, to: string): string =>
    errorOf(() => parsePlan(text.replace(from, to), { blobs }));
  t.match(
    wrong('arena 4096', 'arenas 4096'),
    /^HDL0006: line 2, column 3: expected a record of a plan such as 'arena', or '}', found "arenas"/,
  );
  t.match(wrong('step 0', 'step 1'), /step 1 stands where step 0 should/);
  t.match(wrong('worker 0: 0', 'worker 0: 7'), /there is no step 7 above/);
  t.match(wrong(/code #\w+/, 'code #abc'), /the code of this plan is not among the given bytes/);
  t.match(wrong('units 8', 'units -8'), /expected units, found "-8"/);
  t.match(wrong(/\}\n$/, ''), /expected a record of a plan/);
  t.match(
    errorOf(() => parsePlan('graph g () { }', { blobs })),
    /expected 'plan', found "graph"/,
  );
});
