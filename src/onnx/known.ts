// Constant folding while a model is read: what a value is, if it does not depend on inputs. Shapes, axes and pads of ONNX
// nodes are values of the graph; they are computed here by the ops' own reference semantics, only when someone asks.
//
// Initializers that became variables count as known, with the values of the file: what decides a shape is not trained.

import type { HostTensor, Node } from '../../compiler/graph/ir.ts';
import { topologicalOrder } from '../../compiler/graph/order.ts';
import { elementCount, roundTo } from '../../compiler/graph/types.ts';
import { runtimeError } from '../../runtime/errors.ts';

/** Values of nodes, by node. One for each model: what is known of a node does not change. */
export class Known {
  readonly #initial: ReadonlyMap<Node, ArrayLike<number>>;
  readonly #isConstant = new WeakMap<Node, boolean>();
  readonly #values = new WeakMap<Node, HostTensor>();

  /** `initial`: variables and the values of the file. */
  constructor(initial: ReadonlyMap<Node, ArrayLike<number>>) {
    this.#initial = initial;
  }

  /** Whether a value follows from constants alone. */
  has(node: Node): boolean {
    const done = this.#isConstant.get(node);
    if (done !== undefined) return done;
    for (const n of topologicalOrder([node])) {
      if (this.#isConstant.has(n)) continue;
      const isLeaf = n.operands.length === 0;
      const is = isLeaf
        ? this.#initial.has(n) || n.op.name === 'constant' || n.op.name === 'iota'
        : n.op.family !== 'random' &&
          n.regions.length === 0 &&
          n.operands.every((o) => this.#isConstant.get(o) === true);
      this.#isConstant.set(n, is);
    }
    return this.#isConstant.get(node) === true;
  }

  /** The elements of a known value, row-major, rounded as a run would round them. */
  elements(node: Node): Float64Array {
    if (!this.has(node)) throw runtimeError('HDL1099', { what: 'internal: the value is not known' });
    for (const n of topologicalOrder([node])) {
      if (!this.#values.has(n)) this.#values.set(n, { type: n.type, data: this.#compute(n) });
    }
    return this.#values.get(node)!.data;
  }

  /** The inputs that a value depends on, by name. */
  blame(node: Node): string[] {
    const leaves = topologicalOrder([node]).filter((n) => n.op.name === 'input');
    return leaves.map((n) => String(n.attrs['name']));
  }

  #compute(n: Node): Float64Array {
    const initial = this.#initial.get(n);
    if (initial !== undefined) return Float64Array.from(initial);
    if (n.payload !== null) return Float64Array.from(n.payload.values);
    if (elementCount(n.type.shape) === 0) return new Float64Array(0);
    const operands = n.operands.map((o) => this.#values.get(o)!);
    return n.op.reference(operands, n.attrs, n.type).map((v) => roundTo(n.type.dtype, v));
  }
}
