// All that a compilation shows of itself, as one JSON value: what `dump('json')` prints, the viewer draws and `heddle diff`
// compares. No times in it: equal compilations give equal values. Its schema is docs/schema/inspection.json.
//
// Things refer to each other by their positions in these lists: a step to its kernel, an argument to its buffer, a buffer
// and a step to nodes of `graph`.

import type { PlanManifest } from '../../runtime/plan.ts';
import type { Machine } from '../kernel/ir.ts';
import type { DiffRow } from './diff-text.ts';

export const inspectionFormat = 1;

export interface Inspection {
  readonly format: typeof inspectionFormat;
  /** Of Heddle. */
  readonly version: string;
  readonly entry: string;
  readonly target: 'wasm' | 'js';
  /** Language of the kernels' code. */
  readonly language: 'wat' | 'js';
  /** How fast the machine is thought to be: nanoseconds below follow from it. */
  readonly machine: Machine;
  /** As it was declared. */
  readonly source: InspectedGraph;
  /** After all passes. */
  readonly graph: InspectedGraph;
  readonly passes: readonly InspectedPass[];
  readonly kernels: readonly InspectedKernel[];
  /** In the order in which they run. */
  readonly steps: readonly InspectedStep[];
  readonly buffers: readonly InspectedBuffer[];
  readonly memory: InspectedMemory;
  readonly schedules: readonly InspectedSchedule[];
  /** What the ops that occur are, by name. */
  readonly ops: Readonly<Record<string, InspectedOp>>;
  /** The plan's own manifest, whole. */
  readonly manifest: PlanManifest;
}

export interface InspectedGraph {
  readonly name: string;
  readonly nodes: readonly InspectedNode[];
  /** Numbers of nodes. */
  readonly inputs: readonly number[];
  readonly outputs: readonly { readonly name: string; readonly node: number }[];
  readonly updates: readonly { readonly variable: number; readonly value: number }[];
}

export interface InspectedNode {
  /** Stable and unique: scope and the user's name, or scope and op. */
  readonly name: string;
  readonly scope: string;
  readonly op: string;
  /** Numbers of nodes. */
  readonly operands: readonly number[];
  /** As in the text: `{axes = [0]}` is `{ "axes": "[0]" }`. */
  readonly attrs: Readonly<Record<string, string>>;
  /** Hash of the elements of a large constant, or null. */
  readonly payload: string | null;
  /** Texts of the graphs that it runs (`scan`, `checkpoint`). */
  readonly regions: readonly string[];
  /** `f32[64, 10]` */
  readonly type: string;
  readonly bytes: number;
  /** Arithmetic that it asks for, before anything is optimised. */
  readonly flops: number;
  /** `model.ts:12:5`, or null. */
  readonly loc: string | null;
}

export interface InspectedPass {
  readonly name: string;
  readonly doc: string;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
  readonly removed: number;
  readonly added: number;
  readonly changed: number;
  /** Empty where nothing changed. */
  readonly rows: readonly DiffRow[];
}

export interface InspectedKernel {
  readonly name: string;
  /** How its loops were chosen. */
  readonly schedule: string;
  readonly tile: readonly [rows: number, columns: number] | null;
  readonly units: number;
  /** Of one call. */
  readonly flops: number;
  readonly bytes: number;
  readonly predictedNs: number;
  readonly params: readonly {
    readonly name: string;
    readonly access: 'read' | 'write';
    readonly elements: number;
  }[];
  /** Steps that call it. */
  readonly steps: readonly number[];
  /** How often it is called in a run: once for each step, and each iteration of its loop. */
  readonly calls: number;
  /** Its loop nest. */
  readonly text: string;
  readonly code: string;
}

export interface InspectedStep {
  readonly label: string;
  readonly kernel: number;
  /** Buffers, as many as the kernel has parameters. */
  readonly args: readonly number[];
  /** Numbers of the nodes of `graph` that it computes, alone or with the steps beside it of the same nodes. */
  readonly nodes: readonly number[];
  /** Does again what another step has done, instead of keeping it. */
  readonly isCopy: boolean;
  /** Of the whole step on one worker. */
  readonly predictedNs: number;
}

export interface InspectedBuffer {
  readonly name: string;
  readonly type: string;
  /** Order of dimensions in memory, outermost first. */
  readonly order: readonly number[];
  readonly bytes: number;
  readonly home: 'input' | 'output' | 'temporary' | 'constant' | 'variable' | 'flags';
  /** In the arena, or null. */
  readonly offset: number | null;
  /** First step that writes it and last step that reads it; −1 and the number of steps as in the manifest. */
  readonly from: number | null;
  readonly to: number | null;
  /** The node of `graph` whose value it holds, or null. */
  readonly node: number | null;
  /** Holds what another buffer held before. */
  readonly isCopy: boolean;
}

export interface InspectedMemory {
  readonly arenaBytes: number;
  readonly constantBytes: number;
  readonly variableBytes: number;
  /** The largest sum of bytes alive at once: no placement is smaller. */
  readonly lowerBound: number;
  /** Bytes alive before the first step (first entry), at each step, and after the last. */
  readonly live: readonly number[];
  /** The step at which most bytes are alive; −1 and the number of steps as in the manifest. */
  readonly peakStep: number;
}

export interface InspectedSchedule {
  readonly workers: number;
  /** Predicted, from the first kernel to the last. */
  readonly predictedNs: number;
  /** What each worker does, in order; times from the beginning of the walk. */
  readonly lanes: readonly (readonly InspectedSpan[])[];
}

export interface InspectedSpan {
  /** Of a wait, null. */
  readonly step: number | null;
  /** Barriers passed before. */
  readonly phase: number;
  readonly units: readonly [begin: number, end: number];
  readonly fromNs: number;
  readonly toNs: number;
  /** The worker that everybody waits for at the end of the phase. */
  readonly isCritical: boolean;
}

export interface InspectedOp {
  readonly family: string;
  readonly summary: string;
  readonly formula: string;
  readonly types: string;
}
