// What is lost on two workers by a plan without faults: phases of pure arithmetic on registers, cut in equal halves, with
// as many barriers as a net's step and as far apart. What it loses is lost to the machine: cores of other speeds, other
// programs. Once with ranges that belong to their workers, once with ranges that are shared.

import { Executor } from '../build/runtime/executor.js';
import { planFormat } from '../build/runtime/plan.js';
import { summarise } from '../build/src/profile/summary.js';

const units = 64;

/** Units of a dependent multiply-add chain; `rounds` of it each. */
function source(rounds) {
  return `const f32 = new Float32Array(memory.buffer);
const u32 = new Uint32Array(memory.buffer);
return { work(begin, end, args) {
  const out = u32[args >>> 2] >>> 2;
  for (let u = begin; u < end; u++) {
    let x = u;
    for (let i = 0; i < ${rounds}; i++) x = x * 0.999 + 0.5;
    f32[out + u] = x;
  }
} };`;
}

function planOf(phases, rounds, shared) {
  const half = units / 2;
  const range = (step, worker) => ({
    do: 'run',
    step,
    begin: worker * half,
    end: worker * half + half,
    ...(shared && { shared: 1 }),
  });
  return {
    manifest: {
      format: planFormat,
      entry: 'floor',
      target: 'js',
      features: [],
      arenaBytes: 4 * units,
      constantBytes: 0,
      inputs: [],
      outputs: [],
      variables: [],
      kernels: [{ name: 'work', params: [{ access: 'write', bytes: 4 * units }] }],
      steps: Array.from({ length: phases }, (_, step) => ({
        label: `phase ${step}`,
        kernel: 0,
        args: [{ space: 'arena', offset: 0 }],
        units,
      })),
      schedules: [
        {
          workers: 2,
          lists: [0, 1].map((worker) =>
            Array.from({ length: phases }, (_, step) => [range(step, worker), { do: 'barrier' }])
              .flat()
              .slice(0, -1),
          ),
        },
      ],
      sites: [],
      buffers: [],
    },
    code: new TextEncoder().encode(source(rounds)),
    constants: new Uint8Array(0),
  };
}

/** Samples of the share that is lost by `phases` phases which take `walkMs` together when nothing is lost. */
export async function floorOf(phases, walkMs) {
  const executor = await Executor.create({ threads: 2 });
  const runs = Math.max(3, Math.ceil(80 / walkMs));
  const sampler = async (plan) => {
    const loaded = await executor.load(plan);
    return async (count = runs) => {
      const measured = await executor.profile(loaded, {}, { runs: count, warmUp: 1 });
      return summarise('floor', {}, plan.manifest, { ...measured, machine }).totals;
    };
  };
  const machine = { flopsPerNs: 1, bytesPerNs: 1, nearBytesPerNs: 1, callNs: 1, barrierNs: 1, wakeNs: 1 };
  // How long a round takes: by what the workers are busy, which others on the machine do not stretch so much as the walk.
  const trial = 20_000;
  const once = await (await sampler(planOf(4, trial, false)))(20);
  const rounds = Math.max(1, Math.round((trial * (walkMs / phases)) / (once.kernelMs / 8)));
  return {
    own: await sampler(planOf(phases, rounds, false)),
    shared: await sampler(planOf(phases, rounds, true)),
    dispose: () => executor.dispose(),
  };
}
