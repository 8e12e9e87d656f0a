// Data sets by name: from a folder, from the cache, or downloaded.

export { cifar10 } from './cifar10.ts';
export { fashionMnist, fashionMnistClasses } from './fashion-mnist.ts';
export type { DataEvent, NamedDataOptions } from './files.ts';
export type { LabelledParts } from './idx-pictures.ts';
export { type Iris, iris } from './iris.ts';
export { mnist } from './mnist.ts';
