// Sparse tensors as dense ones: Heddle has no others.

import { elementCount, rowMajorStrides } from '../../compiler/graph/types.ts';
import { type ExternalData, readTensor, type Stored } from './elements.ts';
import type { Message } from './schema.ts';

/** All elements of a sparse tensor, zeros where it has none. */
export function denseOf(t: Message<'SparseTensorProto'>, externalData: ExternalData): Stored {
  const where = `sparse tensor '${t.values?.name ?? ''}'`;
  const shape = t.dims.map(Number);
  const values = readTensor(t.values!, where, externalData);
  const indices = readTensor(t.indices!, where, externalData);
  const data = values.data.slice(0, 0).constructor as new (n: number) => Stored['data'];
  const dense = new data(elementCount(shape));
  const strides = rowMajorStrides(shape);
  const isFlat = indices.shape.length === 1;
  values.data.forEach((v, k) => {
    const at = isFlat
      ? indices.data[k]!
      : strides.reduce((sum, s, d) => sum + s * indices.data[k * shape.length + d]!, 0);
    dense[at] = v;
  });
  return { elem: values.elem, shape, data: dense };
}
