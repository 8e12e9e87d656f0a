// Conditions and loops, written out: a branch is chosen when the model is built, a loop is unrolled.

import { sameType } from '../../../compiler/graph/types.ts';
import * as h from '../../../compiler/ops/index.ts';
import type { Call } from '../call.ts';
import { OnnxConstantError } from '../errors.ts';
import { type OnnxOp, op, type Results } from '../operator.ts';
import type { Message } from '../schema.ts';
import type { Value } from '../value.ts';
import { at, type B, int64, ints, rankOf, scalarOf, shapeOf, type T } from './common.ts';

/** Loops of more rounds would make graphs that take long to compile. */
const maxRounds = 1000;

function body(c: Call, name: string): Message<'GraphProto'> {
  return (
    c.graph(name) ?? c.refuse(`attribute '${name}' is missing`, 'the model is not valid: export it again')
  );
}

/** A branch by a known condition; by an unknown one both are computed, when they give the same types. */
function choice(c: Call): Results {
  const [yes, no] = [body(c, 'then_branch'), body(c, 'else_branch')];
  const known = c.peek(0);
  if (known !== undefined) return c.site.subgraph(known[0] ? yes : no, []);
  const [a, b] = [c.site.subgraph(yes, []), c.site.subgraph(no, [])];
  if (!a.every((v, i) => sameType(v.node.type, b[i]!.node.type))) {
    throw new OnnxConstantError(c.where, c.node.input[0] ?? '', c.site.known.blame(c.x(0)));
  }
  const condition = scalarOf(c.x(0)) as B;
  return a.map((v, i): Value => ({ node: h.where(condition, v.node, b[i]!.node) as T, elem: v.elem }));
}

function stackAll(c: Call, rounds: readonly Value[], axis: number): Value {
  const first = rounds[0];
  if (first === undefined) {
    return c.refuse(
      'it runs no round, so the shape of what it collects is not known',
      'remove the loop from the model',
    );
  }
  return {
    node: h.stack(
      rounds.map((v) => v.node),
      axis,
    ) as T,
    elem: first.elem,
  };
}

function loop(c: Call): Results {
  const graph = body(c, 'body');
  const carried = c.operands.slice(2).map((_, i) => c.value(i + 2));
  const most = c.has(0) ? c.scalar(0) : Number.POSITIVE_INFINITY;
  let goes = c.has(1) ? c.scalar(1) !== 0 : true;
  let state: readonly Value[] = carried;
  const collected: Value[][] = Array.from({ length: graph.output.length - 1 - carried.length }, () => []);
  for (let round = 0; round < most && goes; round++) {
    if (round === maxRounds)
      c.refuse(`it runs more than ${maxRounds} rounds`, 'loops are written out: make them shorter');
    const condition: Value = { node: h.full([], 1, 'bool') as T, elem: 'bool' };
    const [next, ...rest] = c.site.subgraph(graph, [int64(ints([round], [])), condition, ...state]);
    state = rest.slice(0, carried.length);
    for (const [k, list] of collected.entries()) list.push(rest[carried.length + k]!);
    // Without a condition the loop runs to its count, whatever the body says.
    if (c.has(1)) goes = c.known(next!.node, graph.output[0]?.name ?? '')[0] !== 0;
    else if (!c.has(0)) c.refuse('it has neither a count nor a condition', 'a loop must end');
  }
  return [...state, ...collected.map((list) => stackAll(c, list, 0))];
}

function scan(c: Call): Results {
  if (c.opset < 9) return batchedScan(c);
  const count = c.int('num_scan_inputs');
  const states = c.operands.slice(0, c.count - count).map((_, i) => c.value(i));
  const inputs = c.operands.slice(c.count - count).map((_, i) => c.value(c.count - count + i));
  return scanned(c, states, inputs, {
    inputAxes: c.ints('scan_input_axes') ?? inputs.map(() => 0),
    inputBack: c.ints('scan_input_directions') ?? inputs.map(() => 0),
    outputAxes: c.ints('scan_output_axes'),
    outputBack: c.ints('scan_output_directions'),
  });
}

interface Directions {
  readonly inputAxes: readonly number[];
  readonly inputBack: readonly number[];
  readonly outputAxes: readonly number[] | undefined;
  readonly outputBack: readonly number[] | undefined;
}

function scanned(c: Call, states: readonly Value[], inputs: readonly Value[], how: Directions): Value[] {
  const graph = body(c, 'body');
  const axes = inputs.map((v, i) => c.axis(how.inputAxes[i]!, rankOf(v.node)));
  const rounds = shapeOf(inputs[0]!.node)[axes[0]!]!;
  if (rounds > maxRounds)
    c.refuse(`it runs ${rounds} rounds`, `loops are written out: at most ${maxRounds} rounds`);
  let state = states;
  const collected: Value[][] = Array.from({ length: graph.output.length - states.length }, () => []);
  for (let round = 0; round < rounds; round++) {
    const elements = inputs.map(
      (v, i): Value => ({
        node: at(v.node, axes[i]!, how.inputBack[i] ? rounds - 1 - round : round),
        elem: v.elem,
      }),
    );
    const results = c.site.subgraph(graph, [...state, ...elements]);
    state = results.slice(0, states.length);
    for (const [k, list] of collected.entries()) {
      const value = results[states.length + k]!;
      if (how.outputBack?.[k]) list.unshift(value);
      else list.push(value);
    }
  }
  const stacked = collected.map((list, k) => {
    const rank = rankOf(list[0]?.node ?? inputs[0]!.node) + 1;
    return stackAll(c, list, c.axis(how.outputAxes?.[k] ?? 0, rank));
  });
  return [...state, ...stacked];
}

/** Opset 8: every operand has a batch in front, and each element of it may have a length of its own. */
function batchedScan(c: Call): Results {
  if (c.has(0)) c.refuse('it has sequence lengths', 'convert the model to opset 9 or newer');
  const count = c.int('num_scan_inputs');
  const all = c.operands.slice(1).map((_, i) => c.value(i + 1));
  const batch = shapeOf(all[0]!.node)[0]!;
  const back = c.ints('directions') ?? all.map(() => 0);
  const rows = Array.from({ length: batch }, (_, b) => {
    const own = all.map((v): Value => ({ node: at(v.node, 0, b), elem: v.elem }));
    const split = own.length - count;
    return scanned(c, own.slice(0, split), own.slice(split), {
      inputAxes: new Array<number>(count).fill(0),
      inputBack: back,
      outputAxes: undefined,
      outputBack: undefined,
    });
  });
  return (rows[0] ?? []).map((_, k) =>
    stackAll(
      c,
      rows.map((r) => r[k]!),
      0,
    ),
  );
}

export const controlOps: readonly OnnxOp[] = [
  op('If', { limits: 'branches of different shapes need a known condition' }, choice),
  op('Loop', { limits: `the number of rounds must be known, at most ${maxRounds}` }, loop),
  op(
    'Scan',
    {
      versions: { 8: 'operands have a batch in front', 9: 'no batch' },
      limits: `at most ${maxRounds} rounds; sequence lengths of opset 8 are refused`,
    },
    scan,
  ),
];
