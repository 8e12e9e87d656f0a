// node bench/peer.mjs WORKLOAD THREADS TARGET
//
// Runs one workload for a driver that times several systems in turn. The driver writes lines to standard input (`init`,
// `run`, `end`); each is answered by one line `@@{json}`. TARGET: wasm (the fastest variant that this engine runs),
// wasm-relaxed (fused multiply-add, or nothing), wasm-plain (multiply and add apart), js.

import { createInterface } from 'node:readline';
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
  return { program, step: (i) => program.run(entry, cycle[i % cycle.length]), value };
}

let peer;
let steps = 0;
let block = 1;
async function run(count) {
  const start = now();
  for (let k = 0; k < count; k++) await peer.step(steps++);
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
    return {
      peer: `heddle-${target}`,
      version: '0.1.0',
      threads: Number(threads),
      build_ms: build,
      first_ms: first,
      losses,
      warm_steps: steps,
      block,
      rss_base: base,
    };
  },
  async run() {
    const ms = await run(block);
    return { ms: ms / block, block };
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
