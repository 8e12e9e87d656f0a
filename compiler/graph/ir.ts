// Graph IR, the data types: immutable nodes in static single assignment. A node is one value; its operands are the nodes that it
// reads. Nodes carry their op's record itself, so nothing is looked up in a registry while compiling, and a user's
// own op is as good as ours. Node identity is object identity; numbers (%12) exist only inside a `Graph`.

import type { Index, LoopVar } from '../kernel/affine.ts';
import type { Expr } from '../kernel/expr.ts';
import type { DType, Shape, TensorType } from './types.ts';

export type AttrValue = number | string | boolean | null | readonly AttrValue[];
export type Attrs = Readonly<Record<string, AttrValue>>;

/** Where the user wrote the call that made a node. Line and column count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Node<S extends Shape = Shape, D extends DType = DType> {
  readonly op: OpDef;
  readonly operands: readonly Node[];
  readonly attrs: Attrs;
  readonly type: TensorType<S, D>;
  /** Sub-graphs that the op runs (`checkpoint`, `customGradient`, `scan`); most ops have none. */
  readonly regions: readonly Graph[];
  /** Elements of a large constant, row-major; present only on `constant` nodes of more than 16 elements. */
  readonly payload: Payload | null;
  /** The user's name for the value, or null. */
  readonly name: string | null;
  /** Path of the scopes in which it was made: `block1/conv2`; empty at the top level. */
  readonly scope: string;
  readonly loc: SourceLocation | null;
}

/** Immutable elements of a constant, held outside the text and identified by content. */
export interface Payload {
  /** Hash of dtype, shape-independent bytes: equal payloads have equal hashes. */
  readonly hash: string;
  readonly values: Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array;
}

/** What users hold: a symbolic tensor is a node whose shape and dtype the editor may know. */
export type Tensor<S extends Shape = Shape, D extends DType = DType> = Node<S, D>;

export interface GraphOutput {
  readonly name: string;
  readonly node: Node;
}

export interface GraphUpdate {
  /** A `variable` node. */
  readonly variable: Node;
  /** Its new value: same type. */
  readonly value: Node;
}

export interface Graph {
  readonly name: string;
  /** Every node reachable from inputs, outputs and updates; operands come before their users. */
  readonly nodes: readonly Node[];
  /** `input` nodes, in the order of declaration; an input that nothing reads is still listed. */
  readonly inputs: readonly Node[];
  readonly outputs: readonly GraphOutput[];
  readonly updates: readonly GraphUpdate[];
  /** Position of each node in `nodes`: the number in `%12`. */
  readonly index: ReadonlyMap<Node, number>;
}

// The record of an op. Everything that Heddle knows about an op stands in one such object; `defineOp` (compiler/ops)
// makes it, and the public functions, verifier, interpreter, autodiff, fuzzer, conformance suites and docs read it.

/** Elements of a value in the interpreter: every dtype in float64, row-major (f64 holds i32, u32 and bool exactly). */
export interface HostTensor {
  readonly type: TensorType;
  readonly data: Float64Array;
}

export interface OpDoc {
  /** One sentence. */
  readonly summary: string;
  /** The formula, as text: `y[i] = max(x[i], 0)`. */
  readonly formula: string;
  /** Shapes and dtypes of operands and result, one line. */
  readonly types: string;
  /** Attributes by name, with meaning and unit. */
  readonly attrs?: Readonly<Record<string, string>>;
  /** What the gradient is where the derivative does not exist. */
  readonly kinks?: string;
  /** Name of the nearest ONNX operator. */
  readonly onnx?: string;
  /** A runnable line. */
  readonly example: string;
}

/** Throws the op's error: `fail('rule', 'what to try')` reports operands, attributes and the user's line by itself. */
export type Fail = (rule: string, hint?: string, code?: 'HDL0001' | 'HDL0002' | 'HDL0003') => never;

export interface GradientInput {
  readonly node: Node;
  /** The operands of the node. */
  readonly operands: readonly Node[];
  /** The node's value itself (for rules such as exp' = exp). */
  readonly out: Node;
  /** dL/d(out): same type as `out`. */
  readonly cotangent: Node;
  /** `needs[i]` is false when nobody wants the gradient of operand i: return null there and save the work. */
  readonly needs: readonly boolean[];
  /** The cotangents of all values of an op with `results`, by number; null for those that nobody reads. */
  readonly cotangents: readonly (Node | null)[];
}

/** Returns dL/d(operand i), each of the operand's type, or null where `needs[i]` is false or the operand is not f32. */
export type GradientRule = (input: GradientInput) => readonly (Node | null)[];

export interface LowerInput {
  readonly node: Node;
  /** Where in the result we are: one index per dimension of the node's type. */
  readonly at: readonly Index[];
  /** The element of operand i at the given position. */
  readonly read: (operand: number, at: readonly Index[]) => Expr;
  /** A loop variable over [0, extent) that nothing else uses: what a rule reduces over. */
  readonly newVar: (name: string, extent: number) => LoopVar;
}

/**
 * The element of the node's value at `at`, as an expression of elements of its operands. Must be pure, and go by nothing but
 * the node's attributes and the types of it and of its operands: nodes that agree in these are fused alike.
 */
export type LoweringRule = (input: LowerInput) => Expr;

/** Source of random choices for samplers; deterministic for a seed. */
export interface SampleSource {
  /** Integer in [lo, hi]. */
  int(lo: number, hi: number): number;
  /** Real number in [lo, hi). */
  uniform(lo: number, hi: number): number;
  pick<T>(from: readonly T[]): T;
  bool(probability?: number): boolean;
  /** A shape of rank in [minRank, maxRank], each dimension in [1, maxDim]. */
  shape(minRank?: number, maxRank?: number, maxDim?: number): number[];
}

/** A region as a function: the values of its outputs for the values of its inputs, in the order of declaration. */
export type RegionCall = (inputs: readonly HostTensor[]) => readonly HostTensor[];

/** One valid application of the op: operands with values at which the op is differentiable (no kinks, no ties). */
export interface Sample {
  readonly operands: readonly HostTensor[];
  readonly attrs: Attrs;
  readonly regions?: readonly Graph[];
}

/** What an op with regions declares beside the fields that all have. */
export interface RegionRules<A extends Attrs = Attrs> {
  /**
   * The values of all results, row-major. One computation may have several: a node is the one that its attribute
   * `result` names, and nodes of equal operands, regions and other attributes are one computation.
   */
  readonly results: (
    operands: readonly HostTensor[],
    attrs: A,
    calls: readonly RegionCall[],
    regions: readonly Graph[],
  ) => readonly Float64Array[];
  /** All results as nodes of other ops: what stands in place of the node before everything else is compiled. */
  readonly expand: (node: Node) => readonly Node[];
}

export interface OpDef<A extends Attrs = Attrs> {
  readonly name: string;
  readonly family: string;
  readonly doc: OpDoc;
  /** Number of operands, or a range. */
  readonly arity: number | { readonly min: number; readonly max: number };
  /** Type of the result; calls `fail` when operands or attributes are not acceptable. */
  readonly type: (
    operands: readonly TensorType[],
    attrs: A,
    fail: Fail,
    regions: readonly Graph[],
  ) => TensorType;
  /**
   * Reference semantics in plain loops, float64. `out` is the type from the type rule; returns its elements. Ops with
   * regions have `region.results` instead.
   */
  readonly reference: (operands: readonly HostTensor[], attrs: A, out: TensorType) => Float64Array;
  /** Present for ops with regions, and only for them. */
  readonly region?: RegionRules<A>;
  /** Gradient rule, or why there is none. */
  readonly gradient: GradientRule | { readonly none: string };
  /**
   * Index expression; leaves (`input`, `variable`, large `constant`) have `'leaf'`: they live in buffers. `'loop'`: the
   * region is lowered, and runs often (lower/loop-places.ts).
   */
  readonly lower: LoweringRule | 'leaf' | 'loop';
  /** Draws a valid application, or null for leaves, which have no operands to draw. */
  readonly sample: ((random: SampleSource) => Sample) | null;
}
