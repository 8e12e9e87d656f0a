// Watching values while a program trains: which values of an entry match a pattern, the entry's graph with their statistics
// as one more output, and what comes back, step by step. The statistics are computed by the workers in the step itself
// (statistics.ts), so a run of many steps brings those of each step.
//
// What can be watched has a path that a person knows: variables, the outputs of layers, and values that were given a name;
// and of each of these the gradient, where the entry computes one.

import { compilerError } from '../../compiler/graph/errors.ts';
import { makeGraph } from '../../compiler/graph/graph.ts';
import type { Graph, Node } from '../../compiler/graph/ir.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { nearestName } from '../../compiler/graph/nearest.ts';
import { absoluteScope, atLocation } from '../../compiler/graph/scope.ts';
import { concat } from '../../compiler/ops/index.ts';
import { gradientsOf } from '../../compiler/passes/grad.ts';
import type { RunTensor } from '../../runtime/tensor.ts';
import type { AppliedLayer } from '../context.ts';
import { isVariable, variableName } from '../variable.ts';
import { readStatistics, type Statistics, statisticsLength, statisticsNode } from './statistics.ts';

/** The output that carries the statistics; no build function can return this name by accident. */
export const watchOutput = 'heddle:watch';

export interface WatchOptions {
  /** Bins of the histogram between min and max; default 16, 0 for none. */
  readonly bins?: number;
  /** Gradients too; default true. */
  readonly gradients?: boolean;
  /** Steps that are kept, the last ones; default 1000. */
  readonly keep?: number;
}

/** Statistics of one value in one step. */
export interface WatchedValue extends Statistics {
  /** `block1/dense/w` of a variable, `block1/dense` of a layer's output, `grad/…` of their gradients. */
  readonly path: string;
  readonly kind: 'variable' | 'layer' | 'value' | 'gradient';
  readonly shape: readonly number[];
}

interface Target extends Pick<WatchedValue, 'path' | 'kind'> {
  readonly node: Node;
}

export type WatchTargets = readonly Target[];

/** What a pattern watches in an entry. Made by `program.watch`. */
export class Watch {
  readonly entry: string;
  readonly patterns: readonly string[];
  readonly #bins: number;
  readonly #gradients: boolean;
  readonly #keep: number;
  readonly #stop: (watch: Watch) => void;
  readonly #steps: (readonly WatchedValue[])[] = [];
  #total = 0;

  /** Use `program.watch`. */
  constructor(
    entry: string,
    patterns: readonly string[],
    options: WatchOptions,
    stop: (watch: Watch) => void,
  ) {
    const { bins = 16, gradients = true, keep = 1000 } = options;
    checkOptions(entry, patterns, { bins, keep });
    this.entry = entry;
    this.patterns = patterns;
    this.#bins = bins;
    this.#gradients = gradients;
    this.#keep = keep;
    this.#stop = stop;
  }

  /** What tells a graph with these statistics from others. */
  get key(): string {
    return JSON.stringify([this.patterns, this.#bins, this.#gradients]);
  }

  /** Of the last step; empty before the first. */
  get last(): readonly WatchedValue[] {
    return this.#steps.at(-1) ?? [];
  }

  /** Of the last steps, oldest first. */
  get steps(): readonly (readonly WatchedValue[])[] {
    return this.#steps;
  }

  /** Steps so far. */
  get total(): number {
    return this.#total;
  }

  /** Ends it: later runs of the entry compute no statistics. What was recorded stays. */
  stop(): void {
    this.#stop(this);
  }

  /** The graph with the statistics as one more output. Throws HDL0015 when nothing matches. */
  extend(
    graph: Graph,
    layers: readonly AppliedLayer[],
  ): { readonly graph: Graph; readonly targets: readonly Target[] } {
    const targets = findTargets(graph, layers, this.patterns, this.#gradients);
    const vectors = targets.map(({ node }) =>
      absoluteScope('watch', () => atLocation(node.loc, () => statisticsNode(node, this.#bins))),
    );
    const packed = absoluteScope('watch', () => concat(vectors, 0));
    const outputs = [...graph.outputs, { name: watchOutput, node: packed }];
    const { inputs, updates } = graph;
    return { graph: makeGraph(graph.name, { inputs, outputs, updates }), targets };
  }

  /** Takes the statistics of one step or of many, [steps, …]. */
  record(targets: readonly Target[], { data }: RunTensor): void {
    const length = statisticsLength(this.#bins);
    const perStep = targets.length * length;
    const steps = data.length / perStep;
    for (let step = Math.max(0, steps - this.#keep); step < steps; step++) {
      this.#steps.push(
        targets.map(({ path, kind, node }, i) => ({
          path,
          kind,
          shape: node.type.shape,
          ...readStatistics(data, step * perStep + i * length, this.#bins),
        })),
      );
    }
    this.#total += steps;
    this.#steps.splice(0, Math.max(0, this.#steps.length - this.#keep));
  }
}

function checkOptions(
  entry: string,
  patterns: readonly string[],
  { bins, keep }: { readonly bins: number; readonly keep: number },
): void {
  const fail = (what: string, rule: string): never => {
    throw compilerError('HDL0003', { what: `watch of '${entry}' with ${what}`, rule, loc: callerLocation() });
  };
  if (patterns.length === 0 || patterns.some((p) => typeof p !== 'string' || p === '')) {
    fail(
      `patterns ${JSON.stringify(patterns)}`,
      "a pattern is a path, in which * stands for anything: 'block1/*'",
    );
  }
  if (!Number.isInteger(bins) || bins < 0 || bins > 256)
    fail(`bins: ${bins}`, 'bins is an integer in [0, 256]');
  if (!Number.isInteger(keep) || keep < 1) fail(`keep: ${keep}`, 'keep is an integer of at least 1');
}

/** Values with paths that match, each followed by its gradient. */
function findTargets(
  graph: Graph,
  layers: readonly AppliedLayer[],
  patterns: readonly string[],
  gradients: boolean,
): Target[] {
  const all = watchable(graph, layers);
  const matchers = patterns.map(matcherOf);
  const found: Target[] = [];
  for (const target of all) {
    const { path, node } = target;
    if (matchers.some((matches) => matches(path))) found.push(target);
    const gradient = gradients ? gradientsOf(node).find((g) => graph.index.has(g)) : undefined;
    const gradientPath = `grad/${path}`;
    if (gradient === undefined) continue;
    if (matchers.some((matches) => matches(path) || matches(gradientPath))) {
      found.push({ path: gradientPath, kind: 'gradient', node: gradient });
    }
  }
  if (found.length > 0) return found;
  const paths = all.map(({ path }) => path);
  const near = nearestName(patterns[0]!, paths);
  throw compilerError('HDL0015', {
    what: `watch of '${graph.name}': nothing matches ${patterns.map((p) => `'${p}'`).join(', ')}`,
    rule: 'a pattern is matched with the paths of f32 variables, of the outputs of layers and of values with a name',
    hint: near === null ? `there are ${paths.slice(0, 8).join(', ')}` : `did you mean '${near}'?`,
    loc: callerLocation(),
  });
}

function watchable(graph: Graph, layers: readonly AppliedLayer[]): Target[] {
  const targets = new Map<Node, Target>();
  const add = (node: Node, path: string, kind: Target['kind']): void => {
    const isThere = graph.index.has(node) && node.type.dtype === 'f32' && !targets.has(node);
    if (isThere && node.type.shape.every((d) => d > 0)) targets.set(node, { node, path, kind });
  };
  for (const node of graph.nodes) if (isVariable(node)) add(node, variableName(node), 'variable');
  for (const { path, output } of layers) add(output, path, 'layer');
  for (const node of graph.nodes) {
    if (node.name !== null && node.op.family !== 'leaf') {
      add(node, node.scope === '' ? node.name : `${node.scope}/${node.name}`, 'value');
    }
  }
  for (const { name, node } of graph.outputs) add(node, name, 'value');
  return [...targets.values()];
}

/** `*` stands for any characters; a pattern without one also matches all that lies below it. */
function matcherOf(pattern: string): (path: string) => boolean {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  const regex = new RegExp(`^${escaped}(/.*)?$`);
  return (path) => regex.test(path);
}
