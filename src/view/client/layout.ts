// Where the nodes of a graph stand. Scopes nest; each open scope is a graph of its own, of its nodes, its folded scopes
// and its open scopes as boxes of their final size, inside first (arrange.ts). So folding changes the layout of what is
// above it only, every layout is small, and a thousand nodes take milliseconds.
//
// The forward pass runs downwards; the backward pass stands beside it and runs upwards, so that a scope and its gradient are
// at about the same height; what updates the variables stands at the right.

import { arrange } from './arrange.ts';
import type { GraphModel, Part } from './model.ts';

export interface Box {
  /** A node's number, a scope's path, a region's path. */
  readonly key: string;
  readonly kind: 'node' | 'scope' | 'open' | 'region';
  readonly label: string;
  readonly sub: string;
  readonly part: Part;
  /** Of a node: its number; of others, the numbers of all nodes inside. */
  readonly nodes: readonly number[];
  /** Of a region: the step whose kernel computes it. */
  readonly step: number | null;
  readonly depth: number;
  x: number;
  y: number;
  readonly width: number;
  readonly height: number;
}

export interface Edge {
  readonly from: Box;
  readonly to: Box;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** How many reads it stands for. */
  readonly count: number;
  readonly bounds: {
    readonly left: number;
    readonly top: number;
    readonly right: number;
    readonly bottom: number;
  };
}

export interface Layout {
  /** Outer boxes before those inside of them. */
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
  /** The box in which a node is seen: its own, or the folded scope around it. */
  readonly boxOf: ReadonlyMap<number, Box>;
  readonly columns: readonly { readonly part: Part; readonly x: number; readonly width: number }[];
  readonly width: number;
  readonly height: number;
}

export interface LayoutOptions {
  readonly open: ReadonlySet<string>;
  /** Show what each kernel computes as a region. */
  readonly regions: boolean;
  /** Show constants of one value. */
  readonly constants: boolean;
}

interface Tree {
  readonly key: string;
  readonly name: string;
  readonly part: Part;
  readonly scopes: Map<string, Tree>;
  readonly own: number[];
  /** All nodes inside. */
  readonly all: number[];
}

const padding = 14;
/** Room for the name of an open scope. */
export const heading = 22;
const columnGap = 90;
const top = 44;

export const parts: readonly Part[] = ['forward', 'backward', 'update'];

/** The tree of scopes of each part. */
export function treesOf(model: GraphModel, constants: boolean): Tree[] {
  return parts.flatMap((part) => {
    const root = makeTree(part, part, part);
    model.graph.nodes.forEach((n, i) => {
      if (model.parts[i] !== part || (!constants && isScalarConstant(model, i))) return;
      const path = part === 'backward' ? n.scope.replace(/^grad\/?/, '') : n.scope;
      let at = root;
      at.all.push(i);
      for (const name of path === '' ? [] : path.split('/')) {
        let child = at.scopes.get(name);
        if (child === undefined) {
          child = makeTree(`${at.key}/${name}`, name, part);
          at.scopes.set(name, child);
        }
        at = child;
        at.all.push(i);
      }
      at.own.push(i);
    });
    return root.all.length === 0 ? [] : [root];
  });
}

export type { Tree };

function makeTree(key: string, name: string, part: Part): Tree {
  return { key, name, part, scopes: new Map(), own: [], all: [] };
}

function isScalarConstant(model: GraphModel, i: number): boolean {
  const { op, payload } = model.graph.nodes[i]!;
  return op === 'constant' && payload === null && model.readers[i]!.length > 0;
}

/** Scopes to begin with: the outermost ones of many, more of few. */
export function usualOpen(trees: readonly Tree[]): Set<string> {
  const open = new Set<string>();
  const sizeOf = (t: Tree): number => t.scopes.size + t.own.length;
  let shown = trees.reduce((sum, t) => sum + sizeOf(t), 0);
  let level = trees.flatMap((t) => [...t.scopes.values()]);
  while (level.length > 0) {
    shown += level.reduce((sum, t) => sum + sizeOf(t), 0);
    if (shown > 70) break;
    for (const t of level) open.add(t.key);
    level = level.flatMap((t) => [...t.scopes.values()]);
  }
  return open;
}

/** Places everything that is seen. */
export function layoutGraph(model: GraphModel, trees: readonly Tree[], options: LayoutOptions): Layout {
  const all: Laid[] = trees.map((tree) => layTree(tree, model, options, 0, true));
  const boxes: Box[] = [];
  const edges: Edge[] = [];
  const boxOf = new Map<number, Box>();
  const columns: { part: Part; x: number; width: number }[] = [];
  const height = Math.max(0, ...all.map((l) => l.height));
  let x = 0;
  for (const [i, laid] of all.entries()) {
    place(laid, x, top, boxes, edges);
    columns.push({ part: trees[i]!.part, x, width: laid.width });
    x += laid.width + columnGap;
  }
  for (const box of boxes) {
    if (box.kind === 'node' || box.kind === 'scope') for (const n of box.nodes) boxOf.set(n, box);
  }
  return { boxes, edges, boxOf, columns, width: Math.max(1, x - columnGap), height: height + top };
}

/** A part of a layout, from its own corner. */
interface Laid {
  readonly width: number;
  readonly height: number;
  readonly box: Box | null;
  readonly inner: readonly { readonly laid: Laid; readonly x: number; readonly y: number }[];
  readonly edges: readonly LaidEdge[];
}

type LaidEdge = Omit<Edge, 'bounds'>;

function layTree(
  tree: Tree,
  model: GraphModel,
  options: LayoutOptions,
  depth: number,
  isRoot: boolean,
): Laid {
  const { nodes } = model.graph;
  const children: Laid[] = [];
  for (const scope of tree.scopes.values()) {
    children.push(
      options.open.has(scope.key) && scope.all.length > 0
        ? layTree(scope, model, options, depth + 1, false)
        : leafOf(foldedBox(scope, depth + 1)),
    );
  }
  const own = tree.own.map((i) => leafOf(nodeBox(model, i, depth + 1)));
  for (const group of options.regions ? regionsOf(tree, model) : tree.own.map((i) => [i])) {
    const members = group.map((i) => own[tree.own.indexOf(i)]!);
    if (members.length === 1) children.push(members[0]!);
    else children.push(layRegion(tree, members, model, nodes, depth + 1));
  }
  const box: Box | null = isRoot
    ? null
    : {
        key: tree.key,
        kind: 'open',
        label: tree.name,
        sub: '',
        part: tree.part,
        nodes: tree.all,
        step: null,
        depth,
        x: 0,
        y: 0,
        width: 0,
        height: 0,
      };
  return layChildren(children, box, model, tree.part);
}

/** Nodes of one scope that one step computes, together; others alone. */
function regionsOf({ own }: Tree, model: GraphModel): number[][] {
  const groups = new Map<number, number[]>();
  const list: number[][] = [];
  for (const i of own) {
    // A value that several steps compute anew belongs to none of them.
    const [step, another] = model.steps[i]!;
    if (step === undefined || another !== undefined) {
      list.push([i]);
      continue;
    }
    const group = groups.get(step);
    if (group) group.push(i);
    else {
      const made = [i];
      groups.set(step, made);
      list.push(made);
    }
  }
  return list;
}

function layRegion(
  tree: Tree,
  members: readonly Laid[],
  model: GraphModel,
  _nodes: GraphModel['graph']['nodes'],
  depth: number,
): Laid {
  const numbers = members.flatMap((m) => m.box!.nodes);
  const step = model.steps[numbers[0]!]![0]!;
  return layChildren(
    members,
    {
      key: `${tree.key}|${step}`,
      kind: 'region',
      label: `step ${step}`,
      sub: '',
      part: tree.part,
      nodes: numbers,
      step,
      depth,
      x: 0,
      y: 0,
      width: 0,
      height: 0,
    },
    model,
    tree.part,
  );
}

function layChildren(children: readonly Laid[], box: Box | null, model: GraphModel, part: Part): Laid {
  const childOf = new Map<number, number>();
  children.forEach((child, c) => {
    for (const n of child.box!.nodes) childOf.set(n, c);
  });
  const reads = new Map<string, { readonly from: number; readonly to: number; count: number }>();
  for (const [n, to] of childOf) {
    for (const o of model.graph.nodes[n]!.operands) {
      const from = childOf.get(o);
      if (from === undefined || from === to) continue;
      const key = `${from} ${to}`;
      const known = reads.get(key);
      if (known) known.count++;
      else reads.set(key, { from, to, count: 1 });
    }
  }
  const list = [...reads.values()];
  const { width, height, places, paths } = arrange(
    children.map((child) => ({ width: child.width, height: child.height })),
    list.map(({ from, to }) => [from, to]),
    part === 'backward' ? 'BT' : 'TB',
  );
  const rim = box === null ? 0 : padding;
  const head = box === null ? 0 : heading;
  const wide = Math.max(width + 2 * rim, box === null ? 0 : 7 * box.label.length + 40);
  const high = height + 2 * rim + head;
  const [shiftX, shiftY] = [(wide - width) / 2, rim + head];
  const inner = children.map((laid, c) => {
    const { x, y } = places[c]!;
    return { laid, x: x + shiftX, y: y + shiftY };
  });
  const edges = list.map(
    ({ from, to, count }, i): LaidEdge => ({
      from: children[from]!.box!,
      to: children[to]!.box!,
      points: paths[i]!.map((p) => ({ x: p.x + shiftX, y: p.y + shiftY })),
      count,
    }),
  );
  const sized = box === null ? null : Object.assign(box, { width: wide, height: high });
  return { width: wide, height: high, box: sized, inner, edges };
}

function leafOf(box: Box): Laid {
  return { width: box.width, height: box.height, box, inner: [], edges: [] };
}

function nodeBox(model: GraphModel, i: number, depth: number): Box {
  const { op, name, type } = model.graph.nodes[i]!;
  const isLeaf = model.graph.nodes[i]!.operands.length === 0;
  const last = name.split('/').at(-1)!;
  const label = isLeaf ? last.replace(/#\d+$/, '') : last.startsWith(op) ? op : `${last}`;
  const sub = shortType(type);
  const width = 8 * Math.ceil(Math.max(8, (7.2 * Math.max(label.length, 0.95 * sub.length) + 20) / 8));
  return {
    key: String(i), kind: 'node', label, sub, part: model.parts[i]!, nodes: [i], step: null, depth,
    x: 0, y: 0, width, height: 34,
  }; // biome-ignore format: a record
}

function foldedBox(tree: Tree, depth: number): Box {
  const sub = `${tree.all.length} node${tree.all.length === 1 ? '' : 's'}`;
  const width = Math.max(96, 7 * tree.name.length + 40);
  return {
    key: tree.key, kind: 'scope', label: tree.name, sub, part: tree.part, nodes: tree.all, step: null, depth,
    x: 0, y: 0, width, height: 40,
  }; // biome-ignore format: a record
}

/** `32×16×32×32`; another dtype than f32 is said. */
function shortType(type: string): string {
  const [, dtype = '', shape = ''] = /^(\w+)\[(.*)\]$/.exec(type) ?? [];
  const dims = shape === '' ? 'scalar' : shape.replaceAll(', ', '×');
  return dtype === 'f32' ? dims : `${dims} ${dtype}`;
}

function place(laid: Laid, x: number, y: number, boxes: Box[], edges: Edge[]): void {
  if (laid.box !== null) {
    laid.box.x = x;
    laid.box.y = y;
    boxes.push(laid.box);
  }
  for (const inner of laid.inner) place(inner.laid, x + inner.x, y + inner.y, boxes, edges);
  for (const e of laid.edges) {
    const points = e.points.map((p) => ({ x: p.x + x, y: p.y + y }));
    if (points.length < 2) continue;
    const [xs, ys] = [points.map((p) => p.x), points.map((p) => p.y)];
    const bounds = {
      left: Math.min(...xs),
      right: Math.max(...xs),
      top: Math.min(...ys),
      bottom: Math.max(...ys),
    };
    edges.push({ ...e, points, bounds });
  }
}
