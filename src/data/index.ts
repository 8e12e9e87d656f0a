// Data: files that are read, tasks that are drawn, batches.

export * as augment from './augment/index.ts';
export { batchesOf, gatherRows, type Rows } from './batches.ts';
export { type BlobsOptions, blobs } from './blobs.ts';
export {
  type Cifar100Pictures,
  cifar10Classes,
  type LabelledPictures,
  loadCifar10,
  loadCifar100,
} from './cifar10.ts';
export { type CirclesOptions, circles } from './circles.ts';
export { type CsvOptions, loadCsv, parseCsv } from './csv.ts';
export { type CsvColumn, CsvTable, type Missing } from './csv-table.ts';
export * from './dataset/index.ts';
export type { Draws } from './draws.ts';
export { type IdxArray, loadIdx } from './idx.ts';
export { type LinearOptions, type LinearPoints, linear } from './linear.ts';
export { type MoonsOptions, moons } from './moons.ts';
export * from './named/index.ts';
export { loadNpy, type NpyArray, type NumericArray, saveNpy } from './npy.ts';
export { loadNpz, saveNpz } from './npz.ts';
export { normalize, statistics } from './pictures.ts';
export { type ProductOptions, product } from './product.ts';
export { type ShapesOptions, shapeClasses, shapes } from './shapes.ts';
export type { DataSource } from './source.ts';
export { type LabelledPoints, spiral } from './spiral.ts';
