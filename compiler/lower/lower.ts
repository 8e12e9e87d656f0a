// Lowering: Graph IR to Kernel IR. Chooses layouts and buffers, groups values into kernels, composes their element
// expressions and schedules them for a target. What comes out has no offsets and no workers yet (schedule/lowered.ts).

import type { Graph, Node } from '../graph/ir.ts';
import { isLoop, type Loop, loopsOf, resultIndex } from '../graph/loop.ts';
import { elementCount } from '../graph/types.ts';
import { type Index, type LoopVar, offsetIndex, sameIndex, varIndex } from '../kernel/affine.ts';
import { type DefinitionStore, type KernelDefinition, VarSource } from '../kernel/definition.ts';
import type { Expr } from '../kernel/expr.ts';
import type { KernelParam, Target } from '../kernel/ir.ts';
import { KernelPool } from '../kernel/pool.ts';
import type { Bound, NewTemporary } from '../kernel/schedule/index.ts';
import type { Schedules } from '../kernel/tiles.ts';
import { makeLoop } from '../schedule/fold-loops.ts';
import type { Buffer, BufferId, Lowered, LoweredLoop, LoweredStep } from '../schedule/lowered.ts';
import { Buffers } from './buffers.ts';
import { placeCarries, type Slots } from './carry-in-place.ts';
import { type ChainDecision, type Chained, chainSteps } from './chain.ts';
import { chooseSubBuffers } from './choose-subbuffers.ts';
import { type ContractionInfo, Contractions, nameContractions } from './contractions.ts';
import type { Costs } from './cost.ts';
import { describeFusion, type FusionDecisions } from './decisions.ts';
import { addressOf, elementBuilder } from './element.ts';
import type { Group } from './groups.ts';
import { borderParts } from './halo.ts';
import { contentsOf, labelOf, valueName } from './label.ts';
import { chooseLayouts, type Order, rowMajor } from './layout.ts';
import { carryPlace, rowView, splitInvariant } from './loop-places.ts';
import { chooseBuffers } from './materialize.ts';
import { isLeaf, Prober } from './probe.ts';
import type { StoredValues } from './stored.ts';
import { piecesOf, type SubBuffers } from './subbuffers.ts';
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

/** What a kernel must write: a value into a buffer. */
interface Sink {
  readonly node: Node;
  readonly buffer: BufferId;
  /** As a part of the value that the buffer holds; default: where the value itself lies. */
  readonly into?: { readonly whole: Node; readonly from: readonly number[] };
  /** As a row-major row that begins so many elements behind the start of the buffer. */
  readonly start?: number;
}

interface Builder {
  readonly params: readonly KernelParam[];
  readonly args: readonly BufferId[];
  /** The parameter for a buffer. */
  readonly param: (buffer: BufferId, access: 'read' | 'write') => number;
  readonly element: (node: Node, at: readonly Index[]) => Expr;
  /** The parameter for the flags, when all elements are built; null when none of them has checks. */
  readonly flags: () => number | null;
}

/** What a program and the bodies of its loops have in common. */
interface Shared {
  readonly contractions: Contractions;
  readonly pool: KernelPool;
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
  private readonly prober = new Prober();
  private readonly orders: ReadonlyMap<Node, Order>;
  /** Values that lie inside of another value's buffer. */
  private readonly parts: SubBuffers;
  private readonly groups: readonly Group[];
  private readonly stored: StoredValues;
  /** The buffers of values with parts, from the first part on. */
  private readonly wholes = new Map<Node, BufferId>();
  /** The buffer in which a value is read. */
  private readonly homes = new Map<Node, BufferId>();
  /** The first site of each node with checks. */
  private readonly siteOf = new Map<Node, number>();
  private readonly steps: LoweredStep[] = [];
  private readonly shared: Shared;
  private readonly buffers: Buffers;
  /** Results of loops: where they begin in their buffer. */
  private readonly starts = new Map<Node, number>();
  /** In the body of a loop, values of the program around it. */
  private readonly captured = new Map<Node, { readonly around: Lowering; readonly node: Node }>();
  /** Bodies of loops, by the first result. */
  private readonly loops = new Map<Node, { readonly loop: Loop; readonly body: Lowering }>();
  private readonly ranges: StepRange[] = [];

  constructor(graph: Graph, shared: Shared, given?: ReadonlyMap<Node, Order>) {
    this.graph = graph;
    this.shared = shared;
    this.buffers = shared.buffers;
    this.orders = chooseLayouts(graph, this.prober, given);
    const buffered = chooseBuffers(graph, this.prober);
    const { parts, groups, stored } = chooseSubBuffers(graph, buffered, this.orders, this.prober);
    this.parts = parts;
    this.groups = groups;
    this.stored = stored;
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
      this.homes.set(
        n,
        this.buffers.add(valueName(n), n, this.orders.get(n)!, { kind: 'arena', role: 'input' }),
      );
    for (const [i, n] of variables.entries()) {
      this.homes.set(
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
      inputs: graph.inputs.map((n) => ({ name: n.name ?? '', buffer: this.homes.get(n)! })),
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
        const { stored, parts, groups } = this;
        return describeFusion({ graph, stored, parts, groups, labels, chains: chained.decisions });
      },
    };
  }

  /** Large constants, and the checks of all values, in bodies too. */
  private addGiven(): void {
    const { nodes } = this.graph;
    for (const n of nodes) {
      if (n.payload)
        this.homes.set(
          n,
          this.buffers.add(valueName(n), n, this.orders.get(n)!, { kind: 'constant', payload: n.payload }),
        );
    }
    for (const n of nodes) {
      const site = this.buffers.addSites(n, this.prober.probe(n).checks);
      if (site !== null) this.siteOf.set(n, site);
    }
    for (const { body } of this.loops.values()) body.addGiven();
  }

  /** All kernels. A value goes to `direct` or to a buffer of its own, and to those of `extra`; gives labels of groups. */
  private emitGroups(direct: ReadonlyMap<Node, BufferId>, extra: Sink[]): string[] {
    const labels = this.groups.map((group): string => {
      const whole = group.roots[0]!;
      if (isLoop(whole)) return this.lowerLoop(whole, extra);
      if (this.parts.isWhole(whole)) return this.writeRest(whole);
      const sinks = group.roots.flatMap((node): Sink[] => {
        const others = extra.filter((s) => s.node === node);
        const wanted = direct.has(node) || group.readElsewhere.has(node) || others.length > 0;
        return wanted ? [{ node, buffer: direct.get(node) ?? this.placeOf(node) }, ...others] : [];
      });
      const label = this.emit(sinks, group.roots);
      for (const s of sinks) if (!extra.includes(s)) this.homes.set(s.node, s.buffer);
      return label;
    });
    for (const s of extra) if (isLeaf(s.node)) this.emit([s], []);
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
    const summed = inRanges(this.steps, this.ranges, (list) => noted(sumBelow(list, pool)));
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
      this.emit([{ node: init, buffer, start: place.first }], []);
      const read = this.buffers.addView(`${name} in`, type, buffer, place.read);
      const write = this.buffers.addView(`${name} out`, type, buffer, place.write);
      body.homes.set(input, read);
      sinks.push({ node: next, buffer: write });
      if (place.before === null) this.shared.carries.push({ read, write, of: buffer });
      const result = results.find((r) => resultIndex(r) === i);
      if (result) this.setHome(result, buffer, place.last);
      if (place.before === null || place.after === null) return;
      if (isOutput(input)) homes.set(input, { buffer, start: place.before });
      if (isOutput(next)) homes.set(next, { buffer, start: place.after });
    });
    for (const { from, input } of loop.rows) {
      const { buffer, start } = this.rowsOf(from);
      body.homes.set(
        input,
        this.buffers.addView(valueName(from), input.type, buffer, rowView(loop, input.type, start)),
      );
    }
    for (const { from, input } of loop.captured) {
      body.homes.set(input, this.homes.get(from)!);
      body.captured.set(input, { around: this, node: from });
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
      this.setHome(r, home.buffer, home.start);
    }
    const { before, within } = splitInvariant(body.lowerBody(sinks), this.buffers.list);
    const named = (step: LoweredStep): LoweredStep => ({ ...step, nodes: results });
    this.steps.push(...before.map(named));
    const begin = this.steps.length;
    this.steps.push(...within.map(named));
    if (within.length > 0) this.ranges.push({ label, begin, end: this.steps.length, length: loop.length });
    return label;
  }

  private setHome(result: Node, buffer: BufferId, start: number): void {
    this.homes.set(result, buffer);
    this.starts.set(result, start);
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
    return this.steps;
  }

  /** Where the rows of a value lie one after the other: in its own buffer, or in a copy. */
  private rowsOf(node: Node): { readonly buffer: BufferId; readonly start: number } {
    const buffer = this.homes.get(node)!;
    const { shape } = node.type;
    const vars = new VarSource();
    const at = shape.map((extent, d) => varIndex(vars.make(`d${d}`, extent)));
    const found = this.address(node, buffer, at);
    const start = found.constant;
    const wanted = addressOf(shape, rowMajor(shape.length), at);
    const { kind } = this.buffers.of(buffer).home;
    const mayMove = kind === 'arena' || kind === 'constant';
    if (mayMove && sameIndex(offsetIndex(found, -start), wanted)) return { buffer, start };
    const copy = this.buffers.addTemporary(`${valueName(node)} (rows)`, node.type);
    this.emit([{ node, buffer: copy }], []);
    return { buffer: copy, start: 0 };
  }

  /** The buffer of a temporary: its own, or that of the value that it is a part of. */
  private placeOf(node: Node): BufferId {
    const root = this.parts.rootOf(node);
    const known = this.wholes.get(root);
    if (known !== undefined) return known;
    const home = { kind: 'arena', role: 'temporary' } as const;
    const buffer = this.buffers.add(valueName(root), root, this.orders.get(root)!, home);
    if (this.parts.isWhole(root)) this.wholes.set(root, buffer);
    return buffer;
  }

  /** Writes what is missing of a value whose parts are written: after them, or the buffer would live longer than it must. Gives a label. */
  private writeRest(whole: Node): string {
    const buffer = this.placeOf(whole);
    this.parts.partsOf(whole).forEach((part, k) => {
      const { operand: node, from } = piecesOf(whole)[k]!;
      if (part === null) this.emit([{ node, buffer, into: { whole, from } }], []);
    });
    const label = labelOf(
      [whole],
      contentsOf([whole], (n) => n !== whole),
      this.prober,
    );
    if (whole.op.name === 'pad') this.writeBorder(whole, buffer, `${label} (border)`);
    this.homes.set(whole, buffer);
    return label;
  }

  private writeBorder(pad: Node, buffer: BufferId, label: string): void {
    const nodes = contentsOf([pad], (n) => n !== pad);
    for (const { space, at, vars } of borderParts(pad, this.orders.get(pad)!, () => new VarSource())) {
      const build = this.builder(vars, (n) => this.homes.has(n));
      const value = build.element(pad.operands[1]!, []);
      const stores = [{ param: build.param(buffer, 'write'), index: this.address(pad, buffer, at), value }];
      const { params, args } = build;
      const def = { name: label, params, flags: build.flags(), space, stores, vars };
      this.steps.push({ label, kernel: this.shared.pool.schedule(def), args, nodes: [...nodes] });
    }
  }

  /** Address of a position in a value, from the start of its buffer, which may hold a larger value around it. */
  private address(node: Node, buffer: BufferId, at: readonly Index[]): Index {
    const captured = this.captured.get(node);
    if (captured) return captured.around.address(captured.node, buffer, at);
    const start = this.starts.get(node);
    if (start !== undefined) return this.rowAddress(node, start, at);
    const held = this.buffers.of(buffer);
    if (!this.liesIn(node, held)) return addressOf(node.type.shape, held.order, at);
    return addressOf(held.type.shape, held.order, this.parts.inRoot(node, at));
  }

  /** Where a value goes: to its own buffer, or to one that holds it alone. */
  private sinkAddress({ node, buffer }: Sink, at: readonly Index[]): Index {
    if (this.homes.get(node) === buffer) return this.address(node, buffer, at);
    const held = this.buffers.of(buffer);
    if (this.liesIn(node, held)) return this.address(node, buffer, at);
    return addressOf(held.type.shape, held.order, at);
  }

  /** Of a row-major value that begins somewhere in a buffer. */
  private rowAddress({ type: { shape } }: Node, start: number, at: readonly Index[]): Index {
    return offsetIndex(addressOf(shape, rowMajor(shape.length), at), start);
  }

  /** Whether a buffer holds the value as a part of another one. */
  private liesIn(node: Node, held: Buffer): boolean {
    const root = this.parts.rootOf(node);
    return root !== node && held.node === root;
  }

  /** One kernel that computes all sinks, or the few that its schedule wants instead; gives their label. */
  private emit(sinks: readonly Sink[], computed: readonly Node[]): string {
    // What this kernel computes is inlined; what others computed before, and leaves, are read.
    const inside = new Set(computed);
    const isRead = (n: Node): boolean => !inside.has(n) && this.homes.has(n);
    const roots = sinks.map((s) => s.node);
    const contents = contentsOf(roots, isRead);
    const label = labelOf(roots, contents, this.prober);
    if (elementCount(sinks[0]!.node.type.shape) === 0) return label;
    const whole = this.define(sinks, isRead, label);
    const temporary: NewTemporary<BufferId> = (name, elements, dtype = 'f32') =>
      this.buffers.addTemporary(name, { dtype, shape: [elements] });
    const mayMove = (id: BufferId): boolean => {
      const { kind } = this.buffers.of(id).home;
      return kind === 'arena' || kind === 'constant' || kind === 'view';
    };
    const { key, def, calls } = this.shared.pool.calls(whole, temporary, mayMove);
    const contraction = this.shared.contractions.note(key, def, calls);
    // A copy is the value that it copies.
    const nodes = contents.size > 0 ? [...contents] : roots;
    this.steps.push(
      ...calls.map(
        ({ bases, ...step }): LoweredStep => ({
          ...step,
          nodes,
          ...(bases.some((b) => b > 0) && { bases }),
          ...(contraction !== null && { contraction }),
        }),
      ),
    );
    return label;
  }

  private define(sinks: readonly Sink[], isRead: (n: Node) => boolean, label: string): Bound<BufferId> {
    const vars = new VarSource();
    const build = this.builder(vars, isRead);
    const first = sinks[0]!;
    const { shape } = first.node.type;
    // A part walks in its own order: the buffer may have other dimensions.
    const held = this.buffers.of(first.buffer);
    const isPart = first.into !== undefined || first.start !== undefined || this.liesIn(first.node, held);
    const order = isPart ? this.orders.get(first.node)! : held.order;
    const dims: LoopVar[] = [];
    for (const d of order) dims[d] = vars.make(`d${d}`, shape[d]!);
    const at = dims.map(varIndex);
    const stores: DefinitionStore[] = sinks.map((s) => ({
      param: build.param(s.buffer, 'write'),
      index: s.into
        ? this.address(
            s.into.whole,
            s.buffer,
            at.map((i, d) => offsetIndex(i, s.into!.from[d]!)),
          )
        : s.start !== undefined
          ? this.rowAddress(s.node, s.start, at)
          : this.sinkAddress(s, at),
      value: build.element(s.node, at),
    }));
    const { params, args } = build;
    const space = order.map((d) => dims[d]!);
    const def: KernelDefinition = { name: label, params, flags: build.flags(), space, stores, vars };
    return { def, args };
  }

  /** Elements of values within one kernel, and the parameters through which it reads and writes buffers. */
  private builder(vars: VarSource, isRead: (n: Node) => boolean): Builder {
    const params: KernelParam[] = [];
    const args: BufferId[] = [];
    const known = new Map<string, number>();
    const param = (buffer: BufferId, access: 'read' | 'write'): number => {
      const key = `${buffer}${access}`;
      const seen = known.get(key);
      if (seen !== undefined) return seen;
      const b = this.buffers.of(buffer);
      known.set(key, params.length);
      params.push({ name: b.name, storage: b.type.dtype, access, elements: elementCount(b.type.shape) });
      args.push(buffer);
      return params.length - 1;
    };
    let usesFlags = false;
    const element = elementBuilder({
      vars,
      param: (n) => (isRead(n) ? param(this.homes.get(n)!, 'read') : null),
      address: (n, at) => this.address(n, this.homes.get(n)!, at),
      site: (n) => {
        const site = this.siteOf.get(n) ?? null;
        usesFlags ||= site !== null;
        return site;
      },
    });
    const flags = (): number | null => (usesFlags ? param(this.buffers.flags(), 'write') : null);
    return { params, args, param, element, flags };
  }
}
