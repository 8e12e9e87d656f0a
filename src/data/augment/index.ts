// Transforms of pictures, for `dataset.augment([…])`.

export { type CropOptions, crop } from './crop.ts';
export { type FlipOptions, flip } from './flip.ts';
export { noise } from './noise.ts';
export { type NormalizeOptions, normalize } from './normalize.ts';
export type { Transform } from './transform.ts';
