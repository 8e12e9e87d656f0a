// node bench/peer.mjs WORKLOAD THREADS TARGET
//
// Runs one workload for a driver that times several systems in turn. The driver writes lines to standard input (`init`,
// `run`, `end`); each is answered by one line `@@{json}`. TARGET: wasm (the fastest variant that this engine runs),
// wasm-relaxed (fused multiply-add, or nothing), wasm-plain (multiply and add apart), js.

import { createInterface } from 'node:readline';
import { resident } from '../build/src/index.js';
import { enableRelaxed } from './engine.mjs';
import { findWorkload, programOf } from './workloads.mjs';

const [name, threads = '1', target = 'wasm'] = process.argv.slice(2);
const workload = findWorkload(name);

const say = (object) => process.stdout.write(`@@${JSON.stringify(object)}\n`);
const now = () => performance.now();
const megabytes = (bytes) => bytes / 1048576;

const variants = {
  wasm: () => ({ target: 'wasm', relaxed: enableRelaxed() }),
  'wasm-relaxed': () => {
    if (!enableRelaxed()) throw new Error('this engine has no fused multiply-add');
    return { target: 'wasm', relaxed: true };
  },
  'wasm-plain': () => ({ target: 'wasm', relaxed: false }),
  js: () => ({ target: 'js' }),
};

function make() {
  const variant = variants[target];
  if (!variant) throw new Error(`no target '${target}'; there are ${Object.keys(variants).join(', ')}`);
  const { program, entry, cycle, value } = programOf(workload, { threads: Number(threads), ...variant() });
  const peer = { program, step: (i) => program.run(entry, cycle[i % cycle.length]), value };
  const elements = (workload.params ?? []).reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  return workload.kind === 'mlp' && elements < 1000 ? { ...peer, ...manySteps(program, entry, cycle) } : peer;
}

/** The smallest nets run a thousand steps per call, on all batches in turn, which lie in the program's memory. */
function manySteps(program, entry, cycle) {
  const join = (key) => {
    const { length } = cycle[0][key];
    const joined = new cycle[0][key].constructor(cycle.length * length);
    for (const [i, batch] of cycle.entries()) joined.set(batch[key], i * length);
    return joined;
  };
  const batch = cycle[0].y.length;
  const set = resident({ x: join('x'), y: join('y') });
  /** Rows of so many steps by the batch that they begin with: to list 300,000 of them costs a quarter of the steps. */
  const lists = new Map();
  const rowsOf = (first, count) => {
    const key = `${first % cycle.length} ${count}`;
    const row = (_, i) => (first * batch + i) % (cycle.length * batch);
    if (!lists.has(key)) lists.set(key, Int32Array.from({ length: count * batch }, row));
    return lists.get(key);
  };
  return {
    stepsPerCall: 1000,
    steps: (first, count) => program.run(entry, { steps: count, feed: set.rows(rowsOf(first, count)) }),
  };
}

let peer;
let steps = 0;
let block = 1;
async function run(count) {
  const start = now();
  if (!peer.steps) {
    for (let k = 0; k < count; k++) await peer.step(steps++);
  }
  for (let left = peer.steps ? count : 0; left > 0; ) {
    const some = Math.min(left, peer.stepsPerCall);
    await peer.steps(steps, some);
    steps += some;
    left -= some;
  }
  return now() - start;
}

const commands = {
  async init() {
    const base = megabytes(process.memoryUsage.rss());
    let start = now();
    peer = make();
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
      ...(peer.stepsPerCall ? { steps_per_call: peer.stepsPerCall } : {}),
      rss_base: base,
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
