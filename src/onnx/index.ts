// ONNX models in.

export type { ExternalData } from './elements.ts';
export { OnnxConstantError } from './errors.ts';
export { type ImportOnnxOptions, importOnnx, type OnnxModel, type OnnxValues } from './import.ts';
