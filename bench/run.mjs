// npm run bench [-- SUITE…] [--rounds N] [--json FILE] [--plain] [--no-peers] [--seed N] [--count N] [--workers N] [--top N] [--trace FILE]
//
// Suites by name (`--help` lists them; `all`: every one); `kernels` takes the name of a workload behind it,
// `numpy` any number of parts of names of experiments. The ceilings
// of the machine come first, in the same process, so that every figure stands beside what could be. In each round every
// contender in turn is timed; printed are medians of the rounds, and ratios taken round by round.

import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { Ceilings, measureCeilings, printCeilings } from './ceilings.mjs';
import { enableRelaxed } from './engine.mjs';
import { chain, norm } from './suites/bandwidth.mjs';
import { browser } from './suites/browser.mjs';
import { ceilings as ceilingsSuite } from './suites/ceilings.mjs';
import { cold } from './suites/cold.mjs';
import { conv, gemm, shapes } from './suites/contractions.mjs';
import { kernels } from './suites/kernels.mjs';
import { numpy } from './suites/numpy.mjs';
import { schedule } from './suites/schedule.mjs';
import { resnet8, spiral } from './suites/throughput.mjs';

const suites = {
  ceilings: ceilingsSuite,
  gemm,
  conv,
  shapes,
  chain,
  norm,
  kernels,
  schedule,
  spiral,
  resnet8,
  numpy,
  browser,
  cold,
};
const byDefault = ['spiral', 'resnet8'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '7' },
    json: { type: 'string' },
    plain: { type: 'boolean', default: false },
    'no-peers': { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '50' },
    workers: { type: 'string', default: '1' },
    top: { type: 'string', default: '15' },
    trace: { type: 'string' },
    data: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  for (const [name, { about }] of Object.entries(suites)) console.log(`${name.padEnd(10)} ${about}`);
  console.log(
    '\n--plain: multiply and add apart, as every engine has it; --workers, --top, --trace FILE: of `kernels`; --seed, --count: of `shapes`',
  );
  process.exit(0);
}

/** Suites with the words behind them. */
function choose(words) {
  const chosen = [];
  for (let i = 0; i < words.length; i++) {
    if (words[i] === 'all') chosen.push(...Object.keys(suites).map((name) => ({ name })));
    else if (words[i] === 'kernels') chosen.push({ name: 'kernels', workload: words[++i] });
    else if (words[i] === 'numpy') return [...chosen, { name: 'numpy', words: words.slice(i + 1) }];
    else chosen.push({ name: words[i] });
  }
  return chosen;
}

const number = (name) => {
  const n = Number(values[name]);
  if (Number.isInteger(n) && n >= 1) return n;
  console.error(`--${name} takes an integer of at least 1, not '${values[name]}'`);
  process.exit(2);
};

const chosen = choose(positionals.length > 0 ? positionals : byDefault);
const unknown = chosen.find(({ name }) => !Object.hasOwn(suites, name));
if (unknown) {
  console.error(`no benchmark '${unknown.name}'; there are ${Object.keys(suites).join(', ')}`);
  process.exit(2);
}

const relaxed = !values.plain && enableRelaxed();
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  node: process.version,
  load: loadavg()[0],
  variant: relaxed ? 'relaxed' : 'plain',
};
console.log(
  `${machine.cpu}, ${machine.cores} cores available, Node ${machine.node}, ${relaxed ? 'fused multiply-add' : 'multiply and add apart'}, load ${machine.load.toFixed(2)} at start`,
);
const context = {
  rounds: number('rounds'),
  seed: number('seed'),
  count: number('count'),
  workers: number('workers'),
  top: number('top'),
  trace: values.trace,
  ...(values.data && { data: values.data }),
  peers: !values['no-peers'],
  relaxed,
  ceilings: new Ceilings(relaxed),
};
const report = { machine, suites: {} };
if (chosen.some(({ name }) => !['ceilings', 'numpy', 'browser', 'cold'].includes(name))) {
  report.ceilings = await measureCeilings(context.ceilings, Math.min(context.rounds, 5), false);
  printCeilings(report.ceilings);
}
for (const { name, workload, words } of chosen) {
  console.log(`\n${name}${workload ? ` ${workload}` : ''}: ${suites[name].about}`);
  report.suites[workload ? `${name} ${workload}` : name] = await suites[name].run({
    ...context,
    ...(workload && { workload }),
    ...(words && { words }),
  });
}
await context.ceilings.stop();
if (values.json) writeFileSync(values.json, JSON.stringify(report, null, 1));
