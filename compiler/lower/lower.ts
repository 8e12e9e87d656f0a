// Lowering: Graph IR to Kernel IR. Chooses layouts and buffers, groups values into kernels, composes their element
// expressions and schedules them for a target. What comes out has no offsets and no workers yet (schedule/lowered.ts).

import type { Graph, Node } from '../graph/ir.ts';
import { isLoop, type Loop, loopsOf, resultIndex } from '../graph/loop.ts';
import { offsetIndex, sameIndex, varIndex } from '../kernel/affine.ts';
import { VarSource } from '../kernel/definition.ts';
import type { Target } from '../kernel/ir.ts';
import { KernelPool } from '../kernel/pool.ts';
import type { Schedules } from '../kernel/tiles.ts';
import { makeLoop } from '../schedule/fold-loops.ts';
import type { BufferId, Lowered, LoweredLoop, LoweredStep } from '../schedule/lowered.ts';
import { Buffers } from './buffers.ts';
import { placeCarries, type Slots } from './carry-in-place.ts';
import { type ChainDecision, type Chained, chainSteps } from './chain.ts';
import { chooseSubBuffers } from './choose-subbuffers.ts';
import { type ContractionInfo, Contractions, nameContractions } from './contractions.ts';
import type { Costs } from './cost.ts';
import { describeFusion, type FusionDecisions } from './decisions.ts';
import { addressOf } from './element.ts';
import { Emitter, type KernelSource } from './emit.ts';
import type { Group } from './groups.ts';
import { valueName } from './label.ts';
import { chooseLayouts, type Order, rowMajor } from './layout.ts';
import { carryPlace, rowView, splitInvariant } from './loop-places.ts';
import { chooseBuffers } from './materialize.ts';
import { Places, type Sink } from './places.ts';
import { isLeaf, Prober } from './probe.ts';
import type { StoredValues } from './stored.ts';
import { sumBelow } from './sum-below.ts';

/** A lowered graph, its contractions by key, and what fusion decided. */
export interface LoweredGraph extends Lowered {
  readonly contractions: readonly ContractionInfo[];
  /** Takes some time. */
  readonly fusion: () => FusionDecisions;
}

/** Throws HDL0003 for a tile in `schedules` that its contraction cannot have, HDL0017 for what cannot be addressed. */
export function lowerGraph(
  graph: Graph,
  target: Target,
  schedules: Schedules = {},
  choices: FusionChoices = {},
): LoweredGraph {
  const contractions = new Contractions(target, schedules);
  const pool = new KernelPool(target, contractions.prepare);
  return new Lowering(graph, { contractions, pool, buffers: new Buffers(), carries: [] }).run(choices);
}

/** What tests may want otherwise than the cost model. */
export interface FusionChoices {
  /** Whether kernels are joined unit by unit (chain.ts) where they can be. */
  readonly chains?: (costs: Costs) => boolean;
}

/** What a program and the bodies of its loops have in common. */
interface Shared extends KernelSource {
  readonly buffers: Buffers;
  /** Carries of loops that lie in two slots. */
  readonly carries: Slots[];
}

/** Loops that are lowered: steps [begin, end). */
type StepRange = Pick<LoweredLoop, 'label' | 'begin' | 'end' | 'length'>;

/** Changes the steps of each range, and those between ranges, by themselves. */
function inRanges(
  all: readonly LoweredStep[],
  ranges: readonly StepRange[],
  change: (steps: readonly LoweredStep[]) => readonly LoweredStep[],
): { readonly steps: LoweredStep[]; readonly ranges: readonly StepRange[] } {
  const steps: LoweredStep[] = [];
  let done = 0;
  const moved = ranges.map((range) => {
    steps.push(...change(all.slice(done, range.begin)));
    const begin = steps.length;
    steps.push(...change(all.slice(range.begin, range.end)));
    done = range.end;
    return { ...range, begin, end: steps.length };
  });
  steps.push(...change(all.slice(done)));
  return { steps, ranges: moved };
}

class Lowering {
  private readonly graph: Graph;
  private readonly orders: ReadonlyMap<Node, Order>;
  private readonly groups: readonly Group[];
  private readonly stored: StoredValues;
  private readonly shared: Shared;
  private readonly buffers: Buffers;
  private readonly places: Places;
  private readonly emitter: Emitter;
  /** Bodies of loops, by the first result. */
  private readonly loops = new Map<Node, { readonly loop: Loop; readonly body: Lowering }>();
  private readonly ranges: StepRange[] = [];

  constructor(graph: Graph, shared: Shared, given?: ReadonlyMap<Node, Order>) {
    const prober = new Prober();
    this.graph = graph;
    this.shared = shared;
    this.buffers = shared.buffers;
    this.orders = chooseLayouts(graph, prober, given);
    const buffered = chooseBuffers(graph, prober);
    const { parts, groups, stored } = chooseSubBuffers(graph, buffered, this.orders, prober);
    this.groups = groups;
    this.stored = stored;
    this.places = new Places(shared.buffers, this.orders, parts);
    this.emitter = new Emitter(this.places, prober, shared);
    for (const loop of loopsOf(graph)) {
      const orders = new Map(loop.captured.map(({ from, input }) => [input, this.orders.get(from)!]));
      this.loops.set(loop.results[0]!, { loop, body: new Lowering(loop.body, shared, orders) });
    }
  }

  run({ chains }: FusionChoices): LoweredGraph {
    const { graph } = this;
    const variables = graph.nodes.filter((n) => n.op.name === 'variable');
    const updates = new Map(graph.updates.map((u) => [u.variable, u.value]));
    for (const n of graph.inputs)
      this.places.setHome(
        n,
        this.buffers.add(valueName(n), n, this.orders.get(n)!, { kind: 'arena', role: 'input' }),
      );
    for (const [i, n] of variables.entries()) {
      this.places.setHome(
        n,
        this.buffers.add(valueName(n), n, this.orders.get(n)!, {
          kind: 'variable',
          variable: i,
          bank: 'current',
        }),
      );
    }
    this.addGiven();

    // Where results go. A value that is computed here goes straight to its destinations; a leaf is copied there.
    const extra: Sink[] = [];
    const direct = new Map<Node, BufferId>();
    for (const [i, v] of variables.entries()) {
      const value = updates.get(v);
      if (!value) continue;
      const buffer = this.buffers.add(`${valueName(v)} (next)`, v, this.orders.get(v)!, {
        kind: 'variable',
        variable: i,
        bank: 'next',
      });
      if (isLeaf(value) || direct.has(value)) extra.push({ node: value, buffer });
      else direct.set(value, buffer);
    }
    const outputs = graph.outputs.map((o) => {
      const known = direct.get(o.node);
      if (known !== undefined && !isLeaf(o.node)) return { name: o.name, buffer: known };
      const order = rowMajor(o.node.type.shape.length);
      const buffer = this.buffers.add(o.name, o.node, order, { kind: 'arena', role: 'output' });
      if (isLeaf(o.node)) extra.push({ node: o.node, buffer });
      else direct.set(o.node, buffer);
      return { name: o.name, buffer };
    });

    const labels = this.emitGroups(direct, extra);
    const chained = this.chainAll(chains);
    return {
      entry: graph.name,
      buffers: this.buffers.list,
      ...chained.program,
      inputs: graph.inputs.map((n) => ({ name: n.name ?? '', buffer: this.places.homeOf(n) })),
      outputs,
      variables: variables.map((n) => ({
        name: String(n.attrs['name']),
        type: n.type,
        order: this.orders.get(n)!,
        trainable: n.attrs['trainable'] === true,
        updated: updates.has(n),
      })),
      sites: this.buffers.sites,
      contractions: this.shared.contractions.list(),
      fusion: () => {
        const { stored, groups } = this;
        const { parts } = this.places;
        return describeFusion({ graph, stored, parts, groups, labels, chains: chained.decisions });
      },
    };
  }

  /** Large constants, and the checks of all values, in bodies too. */
  private addGiven(): void {
    const { nodes } = this.graph;
    for (const n of nodes) {
      if (n.payload)
        this.places.setHome(
          n,
          this.buffers.add(valueName(n), n, this.orders.get(n)!, { kind: 'constant', payload: n.payload }),
        );
    }
    for (const n of nodes) this.emitter.addSites(n);
    for (const { body } of this.loops.values()) body.addGiven();
  }

  /** All kernels. A value goes to `direct` or to a buffer of its own, and to those of `extra`; gives labels of groups. */
  private emitGroups(direct: ReadonlyMap<Node, BufferId>, extra: Sink[]): string[] {
    const labels = this.groups.map((group): string => {
      const whole = group.roots[0]!;
      if (isLoop(whole)) return this.lowerLoop(whole, extra);
      if (this.places.parts.isWhole(whole)) return this.emitter.writeRest(whole);
      const sinks = group.roots.flatMap((node): Sink[] => {
        const others = extra.filter((s) => s.node === node);
        const wanted = direct.has(node) || group.readElsewhere.has(node) || others.length > 0;
        return wanted ? [{ node, buffer: direct.get(node) ?? this.places.placeOf(node) }, ...others] : [];
      });
      const label = this.emitter.emit(sinks, group.roots);
      for (const s of sinks) if (!extra.includes(s)) this.places.setHome(s.node, s.buffer);
      return label;
    });
    for (const s of extra) if (isLeaf(s.node)) this.emitter.emit([s], []);
    return labels;
  }

  /** Kernels joined unit by unit: between loops, and within the body of each. */
  private chainAll(chains: FusionChoices['chains']): {
    readonly program: Pick<Lowered, 'steps' | 'loops'>;
    readonly decisions: readonly ChainDecision[];
  } {
    const { pool } = this.shared;
    const buffers = this.buffers.list;
    const decisions: ChainDecision[] = [];
    const noted = (made: Chained): readonly LoweredStep[] => {
      decisions.push(...made.decisions);
      return made.steps;
    };
    const summed = inRanges(this.emitter.steps, this.ranges, (list) => noted(sumBelow(list, pool)));
    const { steps, ranges } = inRanges(nameContractions(summed.steps), summed.ranges, (list) =>
      noted(chainSteps(list, buffers, pool, chains)),
    );
    const placed = placeCarries(steps, buffers, this.shared.carries);
    steps.splice(0, steps.length, ...placed);
    const loops = ranges.map((range) => makeLoop({ buffers, steps }, range));
    return { program: { steps, ...(loops.length > 0 && { loops }) }, decisions };
  }

  /**
   * The kernels of one iteration, once, after those that put the carries where the first reads them. Takes from `extra` what
   * it writes where it goes. Gives a label.
   */
  private lowerLoop(first: Node, extra: Sink[]): string {
    const { loop, body } = this.loops.get(first)!;
    const { results } = loop;
    const label = `${first.scope || first.name || 'top'}: ${first.op.name}`;
    const sinks: Sink[] = [];
    const homes = new Map<Node, { readonly buffer: BufferId; readonly start: number }>();
    const count = loop.carries.length;
    const stacked = results.filter((r) => resultIndex(r) >= count);
    const outputOf = (r: Node): Node => loop.outputs[resultIndex(r) - count]!;
    loop.carries.forEach(({ from: init, input, next }, i) => {
      const isOutput = (n: Node): boolean => !homes.has(n) && stacked.some((r) => outputOf(r) === n);
      const { type } = input;
      const place = carryPlace(loop, type, isOutput(input) || isOutput(next));
      const name = `${valueName(first)} carry ${i}`;
      const buffer = this.buffers.addTemporary(name, {
        dtype: type.dtype,
        shape: [place.rows, ...type.shape],
      });
      this.emitter.emit([{ node: init, buffer, start: place.first }], []);
      const read = this.buffers.addView(`${name} in`, type, buffer, place.read);
      const write = this.buffers.addView(`${name} out`, type, buffer, place.write);
      body.places.setHome(input, read);
      sinks.push({ node: next, buffer: write });
      if (place.before === null) this.shared.carries.push({ read, write, of: buffer });
      const result = results.find((r) => resultIndex(r) === i);
      if (result) this.places.setHomeFrom(result, buffer, place.last);
      if (place.before === null || place.after === null) return;
      if (isOutput(input)) homes.set(input, { buffer, start: place.before });
      if (isOutput(next)) homes.set(next, { buffer, start: place.after });
    });
    for (const { from, input } of loop.rows) {
      const { buffer, start } = this.rowsOf(from);
      body.places.setHome(
        input,
        this.buffers.addView(valueName(from), input.type, buffer, rowView(loop, input.type, start)),
      );
    }
    for (const { from, input } of loop.captured) {
      body.places.capture(input, this.places, from);
    }
    for (const r of stacked) {
      const node = outputOf(r);
      let home = homes.get(node);
      if (home === undefined) {
        const out = extra.findIndex((s) => s.node === r && this.buffers.of(s.buffer).home.kind === 'arena');
        const given = out < 0 ? null : extra.splice(out, 1)[0]!;
        home = { buffer: given?.buffer ?? this.buffers.addTemporary(valueName(r), r.type), start: 0 };
        homes.set(node, home);
        const { type } = node;
        sinks.push({
          node,
          buffer: this.buffers.addView(`${valueName(r)} row`, type, home.buffer, rowView(loop, type)),
        });
      }
      this.places.setHomeFrom(r, home.buffer, home.start);
    }
    const { before, within } = splitInvariant(body.lowerBody(sinks), this.buffers.list);
    const named = (step: LoweredStep): LoweredStep => ({ ...step, nodes: results });
    this.emitter.steps.push(...before.map(named));
    const begin = this.emitter.steps.length;
    this.emitter.steps.push(...within.map(named));
    if (within.length > 0)
      this.ranges.push({ label, begin, end: this.emitter.steps.length, length: loop.length });
    return label;
  }

  /** The steps of a body that writes its results there. */
  private lowerBody(sinks: readonly Sink[]): readonly LoweredStep[] {
    const direct = new Map<Node, BufferId>();
    const extra: Sink[] = [];
    for (const sink of sinks) {
      if (isLeaf(sink.node) || direct.has(sink.node)) extra.push(sink);
      else direct.set(sink.node, sink.buffer);
    }
    this.emitGroups(direct, extra);
    return this.emitter.steps;
  }

  /** Where the rows of a value lie one after the other: in its own buffer, or in a copy. */
  private rowsOf(node: Node): { readonly buffer: BufferId; readonly start: number } {
    const buffer = this.places.homeOf(node);
    const { shape } = node.type;
    const vars = new VarSource();
    const at = shape.map((extent, d) => varIndex(vars.make(`d${d}`, extent)));
    const found = this.places.address(node, buffer, at);
    const start = found.constant;
    const wanted = addressOf(shape, rowMajor(shape.length), at);
    const { kind } = this.buffers.of(buffer).home;
    const mayMove = kind === 'arena' || kind === 'constant';
    if (mayMove && sameIndex(offsetIndex(found, -start), wanted)) return { buffer, start };
    const copy = this.buffers.addTemporary(`${valueName(node)} (rows)`, node.type);
    this.emitter.emit([{ node, buffer: copy }], []);
    return { buffer: copy, start: 0 };
  }
}
