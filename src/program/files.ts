// What of a program outlives its process: plans, checkpoints, ONNX models.

import { compilerError } from '../../compiler/graph/errors.ts';
import { callerLocation } from '../../compiler/graph/location.ts';
import { savePlans } from '../../runtime/file.ts';
import { fileWriter } from '../callbacks/file.ts';
import type { DataSource } from '../data/source.ts';
import { type ExportOnnxOptions, exportGraph } from '../onnx/export/export.ts';
import type { Entries, SaveOptions } from '../program-types.ts';
import type { Dims } from '../spec.ts';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../state/checkpoint.ts';
import { readStored, type StoreTarget, store } from '../state/store.ts';
import { ProgramVariables } from './variables.ts';

export abstract class ProgramFiles<E extends Entries> extends ProgramVariables<E> {
  /**
   * All plans compiled so far, with the current values of their variables, as one file that `heddle/runtime` loads
   * without the compiler; with a path (in Node) it is also written there, whole or not at all. With `variants`, each plan
   * with and without fused multiply-add: whoever loads the file gets what the engine there can run. Without `weights`,
   * whoever loads it gives the values. Throws HDL0017 for target `reference` and for a path where there are no files, HDL0003
   * when nothing has been compiled.
   *
   * @example
   * await p.compile('predict', { batch: 1 });
   * await p.save('net.heddle');                       // elsewhere: load('net.heddle') of heddle/runtime
   */
  async save(options?: SaveOptions): Promise<Uint8Array>;
  async save(path: string, options?: SaveOptions): Promise<Uint8Array>;
  async save(first: string | SaveOptions = {}, second: SaveOptions = {}): Promise<Uint8Array> {
    this.core.checkOpen('save');
    const [file, options] =
      typeof first === 'string'
        ? [fileWriter('save', first, 'use the bytes that save() returns'), second]
        : [null, first];
    const made = this.core.specialisations.all().filter((s) => s.watched === null);
    const compiled = made.map((s) => s.compiled);
    const plans = compiled.map((c) => c.plan);
    if (plans.length === 0 || plans.includes(null)) {
      throw compilerError(plans.length === 0 ? 'HDL0003' : 'HDL0017', {
        what: 'save of a program',
        rule: plans.length === 0 ? 'nothing has been compiled yet' : "target 'reference' has no plans",
        hint: "compile what the file should hold first: await p.compile('predict', { batch: 1 })",
        loc: callerLocation(),
      });
    }
    const bytes = savePlans(
      options.variants ? compiled.map((c) => this.core.engine.variants(c)) : plans.filter((p) => p !== null),
      options.weights === false ? undefined : ({ name }) => this.get(name).data,
    );
    await file?.replace(bytes);
    return bytes;
  }

  /**
   * Writes `state()` to a safetensors file, which appears whole or not at all, or hands over its bytes; `metadata` goes with it, for
   * example the number of steps so far. Throws HDL0017 (a file, where there are none).
   *
   * @example await p.saveCheckpoint('state.safetensors', { step: '1000' });
   */
  async saveCheckpoint(to: StoreTarget, metadata: Readonly<Record<string, string>> = {}): Promise<void> {
    const checkpoint: Checkpoint = { variables: this.state(), seed: this.seed, training: null, metadata };
    await store('saveCheckpoint', to, writeCheckpoint(checkpoint));
  }

  /**
   * Restores what `saveCheckpoint` wrote, after the same entries were compiled, and returns its metadata. Throws HDL0016 (no such
   * file), HDL1020 (the file is not whole, or of another program; no variable is set then).
   *
   * @example
   * await p.compile('train', { batch: 64 });
   * const { step } = await p.loadCheckpoint('state.safetensors');
   */
  async loadCheckpoint(from: DataSource): Promise<Readonly<Record<string, string>>> {
    const { variables, metadata } = readCheckpoint(await readStored(from));
    this.restore(variables);
    return metadata;
  }

  /**
   * An entry for given sizes as an ONNX model (opset 20), with the current values of its variables: what other runtimes run
   * and Netron shows. An entry that assigns variables gives their new values as outputs `next/…`. Throws HDL0021 for ops
   * that ONNX has no counterpart of, with their line, and as `compile`.
   *
   * @example await writeFile('net.onnx', p.exportOnnx('predict', { batch: 1 }));
   */
  exportOnnx(name: keyof E & string, dims: Dims = {}, options: ExportOnnxOptions = {}): Uint8Array {
    this.core.checkOpen('export an entry');
    const { graph } = this.core.declared(name, this.core.checkDims(name, dims));
    return exportGraph(graph, (variable) => this.get(variable), options);
  }
}
