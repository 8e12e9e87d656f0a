// Lowering: Graph IR to Kernel IR. Chooses layouts and buffers, groups values into kernels, composes their element
// expressions and schedules them for a target. What comes out has no offsets and no workers yet (schedule/lowered.ts).

import { formatLocation } from '../../runtime/errors.ts';
import { compilerError } from '../graph/errors.ts';
import type { Graph, Node } from '../graph/ir.ts';
import { elementCount, formatType, type TensorType } from '../graph/types.ts';
import { type Index, type LoopVar, offsetIndex, varIndex } from '../kernel/affine.ts';
import { elementBytes } from '../kernel/cost.ts';
import { type DefinitionStore, type KernelDefinition, VarSource } from '../kernel/definition.ts';
import type { KernelParam, Target } from '../kernel/ir.ts';
import { KernelPool } from '../kernel/pool.ts';
import type { Bound } from '../kernel/schedule/index.ts';
import type { Buffer, BufferId, Home, Lowered, LoweredStep } from '../schedule/lowered.ts';
import { addressOf, elementBuilder } from './element.ts';
import { groupKernels } from './groups.ts';
import { borderParts, chooseHalos, haloOf } from './halo.ts';
import { labelOf, valueName } from './label.ts';
import { chooseLayouts, type Order, rowMajor } from './layout.ts';
import { chooseBuffers } from './materialize.ts';
import { isLeaf, Prober } from './probe.ts';

type Site = Lowered['sites'][number];

/** Addresses are computed in 32 bits. */
const mostElements = 2 ** 31 - 1;

export function lowerGraph(graph: Graph, target: Target): Lowered {
  return new Lowering(graph, target).run();
}

/** What a kernel must write: a value into a buffer. */
interface Sink {
  readonly node: Node;
  readonly buffer: BufferId;
}

class Lowering {
  private readonly graph: Graph;
  private readonly prober = new Prober();
  private readonly stored: ReadonlySet<Node>;
  private readonly orders: ReadonlyMap<Node, Order>;
  /** Values that lie inside of a padded value's buffer. */
  private readonly halos: ReadonlyMap<Node, Node>;
  private readonly buffers: Buffer[] = [];
  /** The buffer in which a value is read. */
  private readonly homes = new Map<Node, BufferId>();
  private readonly sites: Site[] = [];
  /** The first site of each node with checks. */
  private readonly siteOf = new Map<Node, number>();
  private readonly steps: LoweredStep[] = [];
  private readonly pool: KernelPool;
  private flags: BufferId | null = null;

  constructor(graph: Graph, target: Target) {
    this.graph = graph;
    this.pool = new KernelPool(target);
    this.stored = chooseBuffers(graph, this.prober);
    this.orders = chooseLayouts(graph, this.prober);
    this.halos = chooseHalos(graph, this.stored, this.orders);
  }

  run(): Lowered {
    const { graph } = this;
    const variables = graph.nodes.filter((n) => n.op.name === 'variable');
    const updates = new Map(graph.updates.map((u) => [u.variable, u.value]));
    for (const n of graph.inputs)
      this.homes.set(
        n,
        this.addBuffer(valueName(n), n, this.orders.get(n)!, { kind: 'arena', role: 'input' }),
      );
    for (const [i, n] of variables.entries()) {
      this.homes.set(
        n,
        this.addBuffer(valueName(n), n, this.orders.get(n)!, {
          kind: 'variable',
          variable: i,
          bank: 'current',
        }),
      );
    }
    for (const n of graph.nodes) {
      if (n.payload)
        this.homes.set(
          n,
          this.addBuffer(valueName(n), n, this.orders.get(n)!, { kind: 'constant', payload: n.payload }),
        );
    }
    for (const n of graph.nodes) this.addSites(n);

    // Where results go. A value that is computed here goes straight to its destinations; a leaf is copied there.
    const extra: Sink[] = [];
    const direct = new Map<Node, BufferId>();
    for (const [i, v] of variables.entries()) {
      const value = updates.get(v);
      if (!value) continue;
      const buffer = this.addBuffer(`${valueName(v)} (next)`, v, this.orders.get(v)!, {
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
      const buffer = this.addBuffer(o.name, o.node, order, { kind: 'arena', role: 'output' });
      if (isLeaf(o.node)) extra.push({ node: o.node, buffer });
      else direct.set(o.node, buffer);
      return { name: o.name, buffer };
    });

    for (const group of groupKernels(graph, this.stored, this.prober, this.halos)) {
      const sinks = group.roots.flatMap((node): Sink[] => {
        const others = extra.filter((s) => s.node === node);
        const wanted = direct.has(node) || group.readElsewhere.has(node) || others.length > 0;
        if (!wanted) return [];
        const pad = this.halos.get(node);
        const buffer =
          direct.get(node) ??
          this.addBuffer(valueName(pad ?? node), pad ?? node, this.orders.get(pad ?? node)!, {
            kind: 'arena',
            role: 'temporary',
          });
        return [{ node, buffer }, ...others];
      });
      this.emit(sinks, group.roots);
      for (const s of sinks) {
        if (extra.includes(s)) continue;
        this.homes.set(s.node, s.buffer);
        const pad = this.halos.get(s.node);
        if (!pad) continue;
        this.homes.set(pad, s.buffer);
        this.writeBorder(pad, s.buffer);
      }
    }
    for (const s of extra) if (isLeaf(s.node)) this.emit([s], []);

    return {
      entry: graph.name,
      buffers: this.buffers,
      steps: this.steps,
      inputs: graph.inputs.map((n) => ({ name: n.name ?? '', buffer: this.homes.get(n)! })),
      outputs,
      variables: variables.map((n) => ({
        name: String(n.attrs['name']),
        type: n.type,
        order: this.orders.get(n)!,
        trainable: n.attrs['trainable'] === true,
        updated: updates.has(n),
      })),
      sites: this.sites,
    };
  }

  private addBuffer(name: string, node: Node, order: Order, home: Home): BufferId {
    return this.addTypedBuffer(name, node.type, order, home, node);
  }

  /** Writes the border of a padded value: after the inside, or the buffer would live longer than it must. */
  private writeBorder(pad: Node, buffer: BufferId): void {
    const { order } = this.buffers[buffer]!;
    const label = `${labelOf([pad], (n) => n !== pad, this.prober)} (border)`;
    const param = { name: valueName(pad), storage: pad.type.dtype, access: 'write' } as const;
    for (const { space, at, vars } of borderParts(pad, order, () => new VarSource())) {
      const element = elementBuilder({ vars, param: () => null, address: () => at[0]!, site: () => null });
      const value = element(pad.operands[1]!, []);
      const stores = [{ param: 0, index: addressOf(pad.type.shape, order, at), value }];
      const params = [{ ...param, elements: elementCount(pad.type.shape) }];
      const kernel = this.pool.schedule({ name: label, params, flags: null, space, stores, vars });
      this.steps.push({ label, kernel, args: [buffer] });
    }
  }

  /** Address of a position in a value: from the start of its buffer, which may hold a padded value around it. */
  private address(node: Node, buffer: BufferId, at: readonly Index[]): Index {
    const pad = this.halos.get(node);
    const { order, node: held } = this.buffers[buffer]!;
    if (!pad || held !== pad) return addressOf(node.type.shape, order, at);
    const lo = haloOf(pad);
    return addressOf(
      pad.type.shape,
      order,
      at.map((i, d) => offsetIndex(i, lo[d]!)),
    );
  }

  private addTypedBuffer(
    name: string,
    type: TensorType,
    order: Order,
    home: Home,
    node: Node | null,
  ): BufferId {
    const id = this.buffers.length as BufferId;
    const elements = elementCount(type.shape);
    if (elements > mostElements) {
      throw compilerError('HDL0017', {
        what: `a buffer for '${name}' (${formatType(type)})`,
        rule: `buffers have at most ${mostElements} elements`,
        hint: 'reduce the batch, or the value before it is needed twice',
        loc: node?.loc ?? null,
      });
    }
    const bytes = elements * elementBytes(type.dtype);
    this.buffers.push({ id, name, type, order, bytes, home, node });
    return id;
  }

  private addSites(n: Node): void {
    const { checks } = this.prober.probe(n);
    if (checks.length > 0) this.siteOf.set(n, this.sites.length);
    const { label } = n.attrs;
    for (const check of checks) {
      this.sites.push({
        kind: check.kind === 'checkIndex' ? 'index' : 'finite',
        label: typeof label === 'string' && label ? label : valueName(n.operands[0] ?? n),
        loc: n.loc ? formatLocation(n.loc) : null,
        size: check.kind === 'checkIndex' ? check.size : 0,
      });
    }
  }

  private flagsBuffer(): BufferId {
    this.flags ??= this.addTypedBuffer(
      'flags',
      { dtype: 'i32', shape: [this.sites.length + 1] },
      [0],
      { kind: 'flags' },
      null,
    );
    return this.flags;
  }

  /** One kernel that computes all sinks, or the few that its schedule wants instead. */
  private emit(sinks: readonly Sink[], computed: readonly Node[]): void {
    if (elementCount(sinks[0]!.node.type.shape) === 0) return;
    // What this kernel computes is inlined; what others computed before, and leaves, are read.
    const inside = new Set(computed);
    const isRead = (n: Node): boolean => !inside.has(n) && this.homes.has(n);
    const label = labelOf(
      sinks.map((s) => s.node),
      isRead,
      this.prober,
    );
    const temporary = (name: string, elements: number): BufferId =>
      this.addTypedBuffer(
        name,
        { dtype: 'f32', shape: [elements] },
        [0],
        { kind: 'arena', role: 'temporary' },
        null,
      );
    this.steps.push(...this.pool.calls(this.define(sinks, isRead, label), temporary));
  }

  private define(sinks: readonly Sink[], isRead: (n: Node) => boolean, label: string): Bound<BufferId> {
    const vars = new VarSource();
    const params: KernelParam[] = [];
    const args: BufferId[] = [];
    const known = new Map<string, number>();
    const param = (buffer: BufferId, access: 'read' | 'write'): number => {
      const key = `${buffer}${access}`;
      const seen = known.get(key);
      if (seen !== undefined) return seen;
      const b = this.buffers[buffer]!;
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
    const first = sinks[0]!;
    const shape = first.node.type.shape;
    const order = this.buffers[first.buffer]!.order;
    const dims: LoopVar[] = [];
    for (const d of order) dims[d] = vars.make(`d${d}`, shape[d]!);
    const at = dims.map(varIndex);
    const stores: DefinitionStore[] = sinks.map((s) => ({
      param: param(s.buffer, 'write'),
      index: this.address(s.node, s.buffer, at),
      value: element(s.node, at),
    }));
    const flags = usesFlags ? param(this.flagsBuffer(), 'write') : null;
    const def: KernelDefinition = {
      name: label,
      params,
      flags,
      space: order.map((d) => dims[d]!),
      stores,
      vars,
    };
    return { def, args };
  }
}
