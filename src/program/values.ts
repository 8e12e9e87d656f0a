// What the values of a program are, step by step, and where they come from: to find what goes wrong.

import type { Node } from '../../compiler/graph/ir.ts';
import {
  checkGraphGradients,
  type Explained,
  type ExplainOptions,
  explainNode,
  findNotFinite,
  findValue,
  type GradCheck,
  type GradCheckOptions,
  type NumericsReport,
  Watch,
  type WatchOptions,
} from '../debug/index.ts';
import type { Entries, FeedsOf } from '../program-types.ts';
import type { Dims } from '../spec.ts';
import { ProgramStages } from './stages.ts';

export abstract class ProgramValues<E extends Entries> extends ProgramStages<E> {
  /**
   * Finds the first op of an entry that makes a NaN or an infinity from these feeds and the variables as they are: with its
   * scope, the user's line, and the ranges of its operands. Of any size and for any target; nothing is committed. Where
   * the trouble is in an input or a variable, that is named. Throws as `run`, but for HDL1005.
   *
   * @example console.log(formatNumerics(await p.checkNumerics('train', { x, y })));
   */
  async checkNumerics<N extends keyof E & string>(name: N, feeds: FeedsOf<E[N]>): Promise<NumericsReport> {
    this.core.checkOpen('check numerics');
    const { dims, values } = this.core.bind(name, feeds);
    const { graph } = this.core.declared(name, dims);
    return findNotFinite(this.core.subject(graph, values));
  }

  /**
   * From now on each step of an entry also computes statistics of the variables, layers' outputs and named values whose
   * path matches, and of their gradients: `*` stands for anything, and a path for all below it. In the workers, as part of
   * the step; what they find is in the returned `Watch`, also for each of many steps. An entry has one watch; another one
   * takes its place. Throws HDL0014, HDL0003 (options); HDL0015 from the next run when nothing matches.
   *
   * @example
   * const watch = p.watch('train', 'block1/*');
   * await p.run('train', { x, y });
   * for (const { path, mean, norm, zeros } of watch.last) console.log(path, mean, norm, zeros);
   */
  watch(name: keyof E & string, patterns: string | readonly string[], options: WatchOptions = {}): Watch {
    this.core.checkOpen('watch values');
    this.core.find(name);
    const list = typeof patterns === 'string' ? [patterns] : patterns;
    const watch = new Watch(name, list, options, (stopped) => {
      if (this.core.specialisations.watchOf(name) === stopped) this.core.specialisations.watch(name, null);
    });
    this.core.specialisations.watch(name, watch);
    return watch;
  }

  /**
   * How a value of an entry came to be: the ops above it, down to inputs and variables, with the lines that made them; given
   * feeds also their numbers. The value is meant by a node, the name of an output, the path of a variable or layer, or a
   * name that it was given; `next w` is the new value of variable w. Commits nothing. Throws HDL0015 (no such value), and
   * as `run`.
   *
   * @example console.log(formatExplanation(await p.explain('train', 'loss', { x, y }, { depth: 4 })));
   */
  async explain<N extends keyof E & string>(
    name: N,
    value: string | Node,
    feeds: FeedsOf<E[N]> | Dims = {},
    options: ExplainOptions = {},
  ): Promise<Explained> {
    this.core.checkOpen('explain a value');
    const { dims, values } = this.core.bindOrSize(name, feeds);
    const { graph, layers } = this.core.declared(name, dims);
    const node = findValue(graph, layers, value);
    const isKnown = values !== null || graph.inputs.length === 0;
    const run = isKnown ? this.core.subject(graph, values ?? {}) : null;
    return explainNode(graph, node, run, options);
  }

  /**
   * Compares the gradients of an entry's f32 outputs, by all of its f32 inputs and variables, with central differences, in
   * float64 by the interpreter: a test for ops, and gradients, of your own. Slow: for small sizes. Throws HDL0005 (an op
   * without a gradient), HDL0015 (no f32 output), and as `run`.
   *
   * @example console.log(formatGradCheck(await p.gradCheck('apply', { x: [0.1, -0.3] })));
   */
  async gradCheck<N extends keyof E & string>(
    name: N,
    feeds: FeedsOf<E[N]>,
    options: GradCheckOptions = {},
  ): Promise<GradCheck> {
    this.core.checkOpen('check gradients');
    const { dims, values } = this.core.bind(name, feeds);
    const { graph } = this.core.declared(name, dims);
    const variables = this.variables().map((v) => [v.name, this.get(v.name).data] as const);
    const inputs = Object.entries(values).map(
      ([key, data]) => [key, Float64Array.from(data as ArrayLike<number>)] as const,
    );
    return checkGraphGradients(graph, Object.fromEntries(inputs), Object.fromEntries(variables), options);
  }
}
