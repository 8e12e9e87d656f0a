// Data: files that are read, tasks that are drawn, batches.

export { batchesOf, gatherRows, type Rows } from './batches.ts';
export { cifar10Classes, type LabelledPictures, loadCifar10 } from './cifar10.ts';
export { type IdxArray, loadIdx } from './idx.ts';
export { normalize, statistics } from './pictures.ts';
export { type ShapesOptions, shapeClasses, shapes } from './shapes.ts';
export { type LabelledPoints, spiral } from './spiral.ts';
