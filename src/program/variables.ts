// The variables of a program: looking at their values, and setting them.

import type { Node } from '../../compiler/graph/ir.ts';
import { type RunInput, type RunTensor, toData } from '../../runtime/tensor.ts';
import type { Entries, VariableInfo } from '../program-types.ts';
import { expectFits } from '../state/restore.ts';
import { initialValue, isTrainable, variableName } from '../variable.ts';
import { ProgramBase } from './base.ts';

export abstract class ProgramVariables<E extends Entries> extends ProgramBase<E> {
  /** What initial values and random ops follow from. */
  get seed(): number {
    return this.core.registry.seed;
  }

  /** A copy of a variable's committed value; before its first run, its initial value. Throws HDL1008, HDL1002. */
  get(variable: Node | string): RunTensor {
    this.core.checkOpen('read a variable');
    const node = this.core.variable(variable);
    const name = variableName(node);
    const committed = this.core.engine.get(name);
    if (committed !== null) return committed;
    const data = this.core.pending.get(name) ?? initialValue(node, this.core.registry.seed);
    return { dtype: node.type.dtype, shape: node.type.shape, data: data.slice() };
  }

  /**
   * Sets a variable, row-major, between runs. Throws HDL1008 (no such variable), HDL1001 (values do not fit), HDL1009
   * (a run is in flight), HDL1002.
   */
  set(variable: Node | string, values: RunInput | number): void {
    this.core.checkOpen('set a variable');
    const node = this.core.variable(variable);
    const name = variableName(node);
    const list = typeof values === 'number' ? [values] : values;
    if (this.core.engine.set(name, list)) return;
    const tensor = { name, dtype: node.type.dtype, shape: node.type.shape };
    this.core.pending.set(name, toData(`value for variable '${name}'`, tensor, list).slice());
  }

  /** The variables of all entries that have been compiled so far, in the order in which they were met. */
  variables(): VariableInfo[] {
    return [...this.core.registry.variables].map(([name, node]) => ({
      name,
      dtype: node.type.dtype,
      shape: node.type.shape,
      trainable: isTrainable(node),
      node,
    }));
  }

  /**
   * Copies of all variables of the entries compiled so far: parameters, state of optimizers, counters of random ops. With `restore`,
   * in a program of the same entries, what follows has the same bits.
   *
   * @example await writeFile('state.npz', await data.saveNpz(Object.fromEntries(p.state())));
   */
  state(): ReadonlyMap<string, RunTensor> {
    return new Map(this.variables().map(({ name, node }) => [name, this.get(node)]));
  }

  /** Sets all variables of the entries compiled so far. Throws HDL1020 unless there is a value for each, and no other; none is set then. */
  restore(values: ReadonlyMap<string, RunTensor>): void {
    this.core.checkOpen('restore variables');
    expectFits(this.variables(), values);
    for (const [name, { data }] of values) this.set(name, data);
  }
}
