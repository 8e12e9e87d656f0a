// Errors of graph building and compilation, by number. Docs are made from this table.

import { type ErrorParts, HeddleError } from '../../runtime/errors.ts';

export const compilerErrors = {
  HDL0001: 'operand shapes do not fit',
  HDL0002: 'operand dtype is not accepted',
  HDL0003: 'attribute is not valid',
  HDL0004: 'wrong number of operands',
  HDL0005: 'gradient does not exist',
  HDL0006: 'text does not parse',
  HDL0007: 'graph has a cycle',
  HDL0008: 'undeclared input',
  HDL0009: 'variable is not unique or not consistent',
  HDL0010: 'update is not valid',
  HDL0011: 'graph does not verify',
  HDL0012: 'kernel or plan does not verify',
  HDL0013: 'unknown op',
  HDL0014: 'unknown entry point',
  HDL0015: 'layer or model is not valid',
  HDL0016: 'data is not valid',
  HDL0017: 'target cannot express this',
  HDL0018: 'memory budget cannot be met',
  HDL0020: 'ONNX file cannot be read',
  HDL0021: 'ONNX model uses what Heddle does not have',
  HDL0022: 'ONNX value must be known when the model is imported',
  HDL0040: 'an optional package is not installed',
  HDL0099: 'internal error',
} as const;

export type CompilerErrorCode = keyof typeof compilerErrors;

export function compilerError(
  code: CompilerErrorCode,
  parts: ErrorParts,
  options?: ErrorOptions,
): HeddleError {
  return new HeddleError(code, parts, options);
}
