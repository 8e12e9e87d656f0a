// The text form between its two halves: what parse.ts finds written, and link.ts makes into nodes. Positions are offsets
// into the text, so that errors of either half can show the line.

import type { Attrs, OpDef, Payload, SourceLocation } from './ir.ts';
import type { Token } from './tokens.ts';
import type { TensorType } from './types.ts';

export interface ParseOptions {
  /** The ops that the text may use, by name. */
  readonly ops: ReadonlyMap<string, OpDef>;
  /** Elements of large constants, by hash. */
  readonly payloads?: ReadonlyMap<string, Payload>;
  /** What errors call the text. Default `graph text`. */
  readonly file?: string;
}

/** A value that is referred to: `%12`, and where the text says so. */
export interface TextRef {
  readonly id: string;
  readonly at: number;
}

/** One node as written. */
export interface TextNode {
  readonly id: TextRef;
  readonly op: Token;
  readonly operands: readonly TextRef[];
  readonly hash: Token | null;
  readonly attrs: Attrs;
  readonly type: TensorType;
  readonly typeAt: number;
  readonly name: string | null;
  readonly scope: string;
  readonly loc: SourceLocation | null;
  readonly regions: readonly TextGraph[];
}

/** A graph or region as written. */
export interface TextGraph {
  readonly name: string;
  readonly inputs: readonly TextRef[];
  readonly nodes: readonly TextNode[];
  readonly outputs: readonly { readonly name: string; readonly ref: TextRef }[];
  readonly updates: readonly { readonly variable: TextRef; readonly value: TextRef }[];
}
