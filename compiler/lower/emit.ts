// Kernels of values: the elements of what a kernel computes, with the parameters through which it reads and writes buffers, go
// to the pool, which schedules them.

import type { Node } from '../graph/ir.ts';
import { elementCount } from '../graph/types.ts';
import { type Index, type LoopVar, varIndex } from '../kernel/affine.ts';
import { type DefinitionStore, type KernelDefinition, VarSource } from '../kernel/definition.ts';
import type { Expr } from '../kernel/expr.ts';
import type { KernelParam } from '../kernel/ir.ts';
import type { KernelPool } from '../kernel/pool.ts';
import type { Bound, NewTemporary } from '../kernel/schedule/index.ts';
import type { BufferId, LoweredStep } from '../schedule/lowered.ts';
import type { Contractions } from './contractions.ts';
import { elementBuilder } from './element.ts';
import { borderParts } from './halo.ts';
import { contentsOf, labelOf } from './label.ts';
import type { Places, Sink } from './places.ts';
import type { Prober } from './probe.ts';
import { piecesOf } from './subbuffers.ts';

interface Builder {
  readonly params: readonly KernelParam[];
  readonly args: readonly BufferId[];
  /** The parameter for a buffer. */
  readonly param: (buffer: BufferId, access: 'read' | 'write') => number;
  readonly element: (node: Node, at: readonly Index[]) => Expr;
  /** The parameter for the flags, when all elements are built; null when none of them has checks. */
  readonly flags: () => number | null;
}

/** Where the kernels of a program go, and of the bodies of its loops. */
export interface KernelSource {
  readonly contractions: Contractions;
  readonly pool: KernelPool;
}

export class Emitter {
  /** In the order in which they were emitted. */
  readonly steps: LoweredStep[] = [];
  private readonly places: Places;
  private readonly prober: Prober;
  private readonly source: KernelSource;
  /** The first site of each node with checks. */
  private readonly siteOf = new Map<Node, number>();

  constructor(places: Places, prober: Prober, source: KernelSource) {
    this.places = places;
    this.prober = prober;
    this.source = source;
  }

  /** Notes the checks of a node, before kernels are emitted that compute it. */
  addSites(node: Node): void {
    const site = this.places.buffers.addSites(node, this.prober.probe(node).checks);
    if (site !== null) this.siteOf.set(node, site);
  }

  /** One kernel that computes all sinks, or the few that its schedule wants instead; gives their label. */
  emit(sinks: readonly Sink[], computed: readonly Node[]): string {
    // What this kernel computes is inlined; what others computed before, and leaves, are read.
    const inside = new Set(computed);
    const isRead = (n: Node): boolean => !inside.has(n) && this.places.has(n);
    const roots = sinks.map((s) => s.node);
    const contents = contentsOf(roots, isRead);
    const label = labelOf(roots, contents, this.prober);
    if (elementCount(sinks[0]!.node.type.shape) === 0) return label;
    const whole = this.define(sinks, isRead, label);
    const temporary: NewTemporary<BufferId> = (name, elements, dtype = 'f32') =>
      this.places.buffers.addTemporary(name, { dtype, shape: [elements] });
    const mayMove = (id: BufferId): boolean => {
      const { kind } = this.places.buffers.of(id).home;
      return kind === 'arena' || kind === 'constant' || kind === 'view';
    };
    const { key, def, calls } = this.source.pool.calls(whole, temporary, mayMove);
    const contraction = this.source.contractions.note(key, def, calls);
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
    const { places } = this;
    // A part walks in its own order: the buffer may have other dimensions.
    const order = places.isPart(first)
      ? places.orders.get(first.node)!
      : places.buffers.of(first.buffer).order;
    const dims: LoopVar[] = [];
    for (const d of order) dims[d] = vars.make(`d${d}`, shape[d]!);
    const at = dims.map(varIndex);
    const stores: DefinitionStore[] = sinks.map((s) => ({
      param: build.param(s.buffer, 'write'),
      index: places.sinkAddress(s, at),
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
      const b = this.places.buffers.of(buffer);
      known.set(key, params.length);
      params.push({ name: b.name, storage: b.type.dtype, access, elements: elementCount(b.type.shape) });
      args.push(buffer);
      return params.length - 1;
    };
    let usesFlags = false;
    const element = elementBuilder({
      vars,
      param: (n) => (isRead(n) ? param(this.places.homeOf(n), 'read') : null),
      address: (n, at) => this.places.address(n, this.places.homeOf(n), at),
      site: (n) => {
        const site = this.siteOf.get(n) ?? null;
        usesFlags ||= site !== null;
        return site;
      },
    });
    const flags = (): number | null => (usesFlags ? param(this.places.buffers.flags(), 'write') : null);
    return { params, args, param, element, flags };
  }

  /** Writes what is missing of a value whose parts are written: after them, or the buffer would live longer than it must. Gives a label. */
  writeRest(whole: Node): string {
    const buffer = this.places.placeOf(whole);
    this.places.parts.partsOf(whole).forEach((part, k) => {
      const { operand: node, from } = piecesOf(whole)[k]!;
      if (part === null) this.emit([{ node, buffer, into: { whole, from } }], []);
    });
    const label = labelOf(
      [whole],
      contentsOf([whole], (n) => n !== whole),
      this.prober,
    );
    if (whole.op.name === 'pad') this.writeBorder(whole, buffer, `${label} (border)`);
    this.places.setHome(whole, buffer);
    return label;
  }

  private writeBorder(pad: Node, buffer: BufferId, label: string): void {
    const nodes = contentsOf([pad], (n) => n !== pad);
    for (const { space, at, vars } of borderParts(pad, this.places.orders.get(pad)!, () => new VarSource())) {
      const build = this.builder(vars, (n) => this.places.has(n));
      const value = build.element(pad.operands[1]!, []);
      const stores = [
        { param: build.param(buffer, 'write'), index: this.places.address(pad, buffer, at), value },
      ];
      const { params, args } = build;
      const def = { name: label, params, flags: build.flags(), space, stores, vars };
      this.steps.push({ label, kernel: this.source.pool.schedule(def), args, nodes: [...nodes] });
    }
  }
}
