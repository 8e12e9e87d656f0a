// Iris: 150 flowers of three kinds, measured (Anderson, 1935; Fisher, 1936).

import { compilerError } from '../../../compiler/graph/errors.ts';
import { parseCsv } from '../csv.ts';
import { type NamedDataOptions, type NamedFile, type NamedSet, obtain } from './files.ts';

const set: NamedSet = {
  name: 'iris',
  base: 'https://archive.ics.uci.edu/ml/machine-learning-databases/iris/',
};
const file: NamedFile = {
  name: 'iris.data',
  also: ['iris.csv'],
  // As at the base address; the same with a row of names.
  sha256: [
    '6f608b71a7317216319b4d27b4d9bc84e6abd734eda7872b71a458569e2656c0',
    '9f853dd25d9585b66e92f9cab5d7e6ffc5bd60f45174e2d1355926fdf3d8c0d4',
  ],
};
const features = ['sepal length', 'sepal width', 'petal length', 'petal width'];

export interface Iris {
  /** f32 [150, 4], in centimetres. */
  readonly x: { readonly data: Float32Array; readonly shape: readonly [number, number] };
  readonly y: Int32Array;
  /** Names of the columns of x. */
  readonly features: readonly string[];
  /** Names of the classes, by label. */
  readonly classes: readonly string[];
}

/**
 * Iris: four measures of each of 150 flowers, and its kind. `{ x, y }` is what `fit` takes. From a folder (iris.data or iris.csv), from the
 * cache, or downloaded (5 kB). Throws HDL1021 (the file cannot be had), HDL0016.
 *
 * @example
 * const iris = await data.iris();
 * const [train, test] = Dataset.from({ x: iris.x, y: iris.y }).split(0.8);
 */
export async function iris(options: NamedDataOptions = {}): Promise<Iris> {
  const { bytes } = await obtain(set, file, options);
  const text = new TextDecoder().decode(bytes);
  const isNamed = !/^\s*\d/.test(text);
  const table = await parseCsv(text.slice(isNamed ? text.indexOf('\n') + 1 : 0), {
    header: [...features, 'class'],
  });
  const x = table.numbers(features);
  const { labels, classes } = table.labels('class');
  const isRight = table.count === 150 && classes.length === 3;
  if (isRight) return { x: { data: x.data, shape: x.shape }, y: labels, features, classes };
  throw compilerError('HDL0016', {
    what: `${file.name} with ${table.count} rows of ${classes.length} classes`,
    rule: 'Iris has 150 rows of 3 classes',
    hint: 'the file is cut short or another one; tables are read by data.loadCsv',
  });
}
