// node bench/peer.mjs WORKLOAD THREADS TARGET
//
// Runs one workload for a driver that times several systems in turn. The driver writes lines to standard input (`init`,
// `run`, `end`); each is answered by one line `@@{json}`. Workloads are read from WORKLOADS (a JSON file), by default from
// the reference data beside this repository. TARGET: wasm, wasm-relaxed, js.

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { resident } from '../build/src/index.js';
import {
  batches,
  chainProgram,
  draw,
  inferenceProgram,
  trainingProgram,
} from '../build/test/support/workloads.js';

const [name, threads = '1', target = 'wasm'] = process.argv.slice(2);
const file = process.env.WORKLOADS ?? new URL('../../shared/bench/peers/workloads.json', import.meta.url);
const workload = JSON.parse(readFileSync(file, 'utf8'))[name];

const say = (object) => process.stdout.write(`@@${JSON.stringify(object)}\n`);
const now = () => performance.now();
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const megabytes = (bytes) => bytes / 1048576;

/** Whether this engine runs fused multiply-add, which Node 20 has behind a flag. */
function enableRelaxed() {
  const probe = Uint8Array.from([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 17, 1, 15, 0, 65, 0, 253, 17, 65, 0, 253,
    17, 65, 0, 253, 17, 253, 133, 2, 26, 11,
  ]);
  probe[18] = probe.length - 19;
  probe[20] = probe.length - 21;
  if (!WebAssembly.validate(probe)) setFlagsFromString('--experimental-wasm-relaxed-simd');
}

async function make() {
  if (!workload) throw new Error(`no workload '${name}'`);
  if (!['wasm', 'wasm-relaxed', 'js'].includes(target)) throw new Error(`no target '${target}'`);
  const relaxed = target === 'wasm-relaxed';
  if (relaxed) enableRelaxed();
  const options = { threads: Number(threads), target: target === 'js' ? 'js' : 'wasm', relaxed };
  if (workload.kind === 'chain') {
    const program = chainProgram(workload, options);
    const x = draw(1000, workload.n, (u) => 4 * u - 2);
    return {
      program,
      step: () => program.run('run', { x }),
      value: ({ y, dx }) => [mean(Array.from(y.data)), mean(Array.from(dx.data))],
    };
  }
  const data = batches(workload);
  if (workload.infer) {
    const program = inferenceProgram(workload, options);
    return {
      program,
      step: (i) => program.run('predict', { x: data[i % data.length].x }),
      value: ({ logits }) => mean(Array.from(logits.data, Math.abs)),
    };
  }
  const program = trainingProgram(workload, options);
  const peer = {
    program,
    step: (i) => program.run('train', data[i % data.length]),
    value: ({ loss }) => loss.data[0],
  };
  return name === 'mlp-tiny' ? { ...peer, ...manySteps(program, data) } : peer;
}

/** The smallest net runs a thousand steps per call, on all batches in turn, which lie in the program's memory. */
function manySteps(program, data) {
  const join = (key) => {
    const joined = new data[0][key].constructor(data.length * data[0][key].length);
    for (const [i, batch] of data.entries()) joined.set(batch[key], i * batch[key].length);
    return joined;
  };
  const rows = data.length * data[0].y.length;
  const set = resident({ x: join('x'), y: join('y') });
  const batch = data[0].y.length;
  return {
    stepsPerCall: 1000,
    steps: (first, count) => {
      const order = Int32Array.from({ length: count * batch }, (_, i) => (first * batch + i) % rows);
      return program.run('train', { steps: count, feed: set.rows(order) });
    },
  };
}

let peer;
let steps = 0;
let block = 1;
async function run(count) {
  const start = now();
  if (peer.steps) {
    for (let left = count; left > 0; ) {
      const some = Math.min(left, peer.stepsPerCall);
      await peer.steps(steps, some);
      steps += some;
      left -= some;
    }
  } else {
    for (let k = 0; k < count; k++) await peer.step(steps++);
  }
  return now() - start;
}

const commands = {
  async init() {
    const base = megabytes(process.memoryUsage.rss());
    let start = now();
    peer = await make();
    const build = now() - start;
    start = now();
    const losses = [peer.value(await peer.step(steps++))];
    const first = now() - start;
    start = now();
    let last = first;
    while (steps < 10 && now() - start + last < 15000) {
      const at = now();
      losses.push(peer.value(await peer.step(steps++)));
      last = now() - at;
    }
    const left = Math.max(0, 1500 - (now() - start));
    start = now();
    let count = 1;
    let each = last;
    while (now() - start + each * count < left) {
      const ms = await run(count);
      each = ms / count;
      if (ms < 150) count *= 2;
    }
    block = each > 300 ? 1 + (each < 500) : Math.max(1, Math.round(600 / each));
    if (peer.stepsPerCall) block = Math.ceil(block / peer.stepsPerCall) * peer.stepsPerCall;
    return {
      peer: `heddle-${target}`,
      version: '0.1.0',
      threads: Number(threads),
      build_ms: build,
      first_ms: first,
      losses,
      warm_steps: steps,
      block: block / (peer.stepsPerCall ?? 1),
      rss_base: base,
      ...(peer.stepsPerCall ? { steps_per_call: peer.stepsPerCall } : {}),
    };
  },
  async run() {
    const ms = await run(block);
    // Per call, and calls: of one step, unless `steps_per_call` was said.
    const call = peer.stepsPerCall ?? 1;
    return { ms: (ms / block) * call, block: block / call };
  },
  async end() {
    await peer?.program.dispose();
    return { rss_peak: process.resourceUsage().maxRSS / 1024 };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = line.trim();
  try {
    say(await commands[command]());
  } catch (error) {
    say({ error: String(error?.stack ?? error).slice(0, 600) });
  }
  if (command === 'end') process.exit(0);
}
