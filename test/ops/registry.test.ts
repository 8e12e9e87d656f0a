// Every op of the registry, by what its record promises: samples are valid, the reference agrees with the type rule, the
// one-op graph survives the text form and the verifier, and gradients agree with central differences, also in second
// order, and forward ones with backward ones. A new op is tested by being in the registry.

import t from 'tap';
import { equalGraphs } from '../../compiler/graph/equal.ts';
import { interpretGraph } from '../../compiler/graph/interpret.ts';
import type { OpDef, Sample } from '../../compiler/graph/ir.ts';
import { parseGraph } from '../../compiler/graph/parse.ts';
import { printGraph } from '../../compiler/graph/print.ts';
import { elementCount, roundTo } from '../../compiler/graph/types.ts';
import { verifyGraph } from '../../compiler/graph/verify.ts';
import * as publicOps from '../../compiler/ops/index.ts';
import { registry } from '../../compiler/ops/registry.ts';
import { HeddleError } from '../../runtime/errors.ts';
import { checkGradients, dotProducts, sampleGraph } from '../support/gradcheck.ts';
import { seededRandom } from '../support/random.ts';

const seeds = Array.from({ length: 20 }, (_, i) => i + 1);

t.test('the registry lists every op under its name', async (t) => {
  t.not(registry.size, 0);
  for (const [name, op] of registry) t.equal(op.name, name);
});

t.test('what is public are functions: records are found in the registry', async (t) => {
  for (const [name, value] of Object.entries(publicOps)) t.type(value, 'function', name);
});

for (const op of registry.values()) {
  if (op.sample === null) continue;
  t.test(`${op.name}`, async (t) => {
    const problems: string[] = [];
    for (const seed of seeds) {
      const found = checkSample(op, seed);
      for (const p of found) problems.push(`seed ${seed}: ${p}`);
    }
    t.same(problems, [], 'samples, types, reference and text form');
    if ('none' in op.gradient) return;
    const wrong: string[] = [];
    for (const seed of seeds) for (const p of checkOpGradient(op, seed)) wrong.push(`seed ${seed}: ${p}`);
    t.same(wrong, [], 'gradients');
  });
}

function sampleOf(op: OpDef, seed: number): Sample {
  return op.sample!(seededRandom(seed));
}

function checkSample(op: OpDef, seed: number): string[] {
  const sample = sampleOf(op, seed);
  const problems: string[] = [];
  for (const [i, o] of sample.operands.entries()) {
    if (o.data.length !== elementCount(o.type.shape))
      problems.push(`operand ${i} has ${o.data.length} elements`);
    if (!o.data.every((v) => Object.is(roundTo(o.type.dtype, v), v))) {
      problems.push(`operand ${i} has elements that ${o.type.dtype} does not hold`);
    }
  }
  const { graph, inputs } = sampleGraph(op, sample);
  verifyGraph(graph);
  const text = printGraph(graph);
  const again = parseGraph(text, { ops: registry });
  if (!equalGraphs(graph, again) || printGraph(again) !== text) problems.push(`text form: ${text}`);

  const type = graph.outputs[0]!.node.type;
  const given = JSON.stringify(inputs, (_, v) => (v instanceof Float64Array ? [...v] : v));
  for (const mode of ['f64', 'f32'] as const) {
    const y = interpretGraph(graph, { inputs }, { mode }).outputs['y']!;
    if (y.data.length !== elementCount(type.shape)) problems.push(`${mode}: ${y.data.length} elements`);
    if (!y.data.every(Number.isFinite)) problems.push(`${mode}: not finite`);
  }
  const after = JSON.stringify(inputs, (_, v) => (v instanceof Float64Array ? [...v] : v));
  if (after !== given) problems.push('the reference changed its operands');
  const twice = interpretGraph(sampleGraph(op, sampleOf(op, seed)).graph, { inputs }).outputs['y']!;
  const once = interpretGraph(graph, { inputs }).outputs['y']!;
  if (!twice.data.every((v, i) => Object.is(v, once.data[i]))) problems.push('two runs differ');
  return problems;
}

function checkOpGradient(op: OpDef, seed: number): string[] {
  const { graph, inputs } = sampleGraph(op, sampleOf(op, seed));
  const check = {
    outputs: graph.outputs.map((o) => o.node),
    inputs: graph.inputs,
    values: inputs,
    elements: 6,
  };
  const first = checkGradients({ ...check, random: seededRandom(seed) });
  if (first.length > 0 || seed > 5) return first;
  try {
    const second = checkGradients({ ...check, random: seededRandom(seed), order: 2, elements: 4 });
    return [...second, ...dotProducts({ ...check, random: seededRandom(seed) })];
  } catch (e) {
    // A rule may use ops without a gradient of their own.
    if (e instanceof HeddleError && e.code === 'HDL0005') return [];
    throw e;
  }
}
