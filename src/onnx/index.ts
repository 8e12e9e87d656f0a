// ONNX models in and out.

export type { ExternalData } from './elements.ts';
export { OnnxConstantError } from './errors.ts';
export { type ExportOnnxOptions, exportGraph } from './export/export.ts';
export { type ImportOnnxOptions, importOnnx, type OnnxModel, type OnnxValues } from './import.ts';
