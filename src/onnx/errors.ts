// Why a model, or a node of it, is not imported. Each error names the node and says what to try.

import type { CompilerErrorCode } from '../../compiler/graph/errors.ts';
import { HeddleError } from '../../runtime/errors.ts';

/**
 * HDL0022: a value that decides shapes depends on what the model is fed. `inputs` are the inputs that it depends on: give
 * them to `importOnnx` as `constants`.
 */
export class OnnxConstantError extends HeddleError {
  readonly inputs: readonly string[];

  constructor(where: string, operand: string, inputs: readonly string[]) {
    const names = inputs.map((n) => `'${n}'`).join(', ');
    super('HDL0022' satisfies CompilerErrorCode, {
      what: `${where} takes '${operand}', which ${
        inputs.length > 0 ? `is computed from input ${names}` : 'is drawn at random'
      }`,
      rule: 'it decides the shape of a result, so it must be known when the model is imported',
      hint:
        inputs.length > 0
          ? `importOnnx(bytes, { constants: { '${inputs[0]}': … } })`
          : 'replace it by a constant in the model',
    });
    this.inputs = inputs;
  }
}
