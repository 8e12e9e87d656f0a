// State outside of the process: safetensors files.

export {
  readSafetensors,
  type Safetensors,
  type StoredData,
  type StoredDType,
  type StoredTensor,
  writeSafetensors,
} from './safetensors.ts';
