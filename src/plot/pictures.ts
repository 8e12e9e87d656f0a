// Grids of small pictures: what a net was shown and what it said, and the kernels of a convolution.

import { expectCount, expectNumbers, refuse } from './check.ts';
import { Figure, type FigureOptions, type Spec } from './figure.ts';
import { type Picture, picture } from './png.ts';

export interface PictureData {
  /** [count, channels, height, width], row-major; one channel (grey) or three (red, green, blue). */
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface PredictionsOptions extends FigureOptions {
  readonly images: PictureData;
  /** What each picture is. */
  readonly labels: ArrayLike<number>;
  /** What the net said. */
  readonly predicted: ArrayLike<number>;
  /** Names of classes; default their numbers. */
  readonly names?: readonly string[] | undefined;
  /** Pictures in a row; default 5. */
  readonly columns?: number | undefined;
}

/**
 * Pictures, each with what the net said below it. Where that is wrong, the picture has a frame, and the right answer stands in
 * brackets. The values are stretched over the range from black to white. Throws HDL0016.
 *
 * @example await plot.predictions({ images, labels, predicted: argmaxOf(outputs) })
 */
export async function predictions(options: PredictionsOptions): Promise<Figure> {
  const { images, labels, predicted, names, columns = 5 } = options;
  checkPictures('predictions: images', images);
  const count = images.shape[0]!;
  for (const [name, values] of [
    ['labels', labels],
    ['predicted', predicted],
  ] as const) {
    expectNumbers(`predictions: ${name}`, values);
    if (values.length < count) expectCount(`predictions: ${name}`, values, count, 'one for each picture');
  }
  const tiles = await Promise.all(
    Array.from({ length: count }, (_, i) => tile(images, i, rangeOf(images.data))),
  );
  const name = (c: number): string => names?.[c] ?? String(c);
  const values = tiles.map((t, i) => {
    const isRight = labels[i] === predicted[i];
    const label = isRight ? name(predicted[i]!) : `${name(predicted[i]!)} (${name(labels[i]!)})`;
    return { url: t.url(), column: i % columns, row: Math.floor(i / columns), label, isRight };
  });
  return new Figure((theme, width) => {
    const cell = Math.min(width / columns, 110);
    const size = cell - 16;
    return {
      ...grid(values, columns, cell, cell + 12),
      layer: [
        {
          mark: {
            type: 'rect',
            width: size + 6,
            height: size + 6,
            fill: null,
            stroke: theme.alarm,
            strokeWidth: 3,
          },
          transform: [{ filter: '!datum.isRight' }],
        },
        { mark: { type: 'image', width: size, height: size }, encoding: { url: { field: 'url' } } },
        {
          mark: { type: 'text', dy: size / 2 + 14, fontSize: 12 },
          encoding: {
            text: { field: 'label' },
            color: { condition: { test: 'datum.isRight', value: theme.text }, value: theme.alarm },
          },
        },
      ],
    };
  }, options);
}

/**
 * The kernels of a convolution, [out, in, height, width]: a row of pictures for each input channel; of three input channels, one
 * picture each in colour. All are stretched over the same range. Throws HDL0016.
 *
 * @example await plot.filters(model.program.get('conv1/w'))
 */
export async function filters(
  weights: PictureData,
  options: FigureOptions & { readonly columns?: number } = {},
): Promise<Figure> {
  if (weights.shape?.length !== 4) checkPictures('filters', weights);
  const [out, channels, height, width] = weights.shape as [number, number, number, number];
  const isColor = channels === 3;
  const columns = options.columns ?? Math.min(out, 10);
  const data = isColor ? weights : { ...weights, shape: [out * channels, 1, height, width] };
  const range = rangeOf(weights.data);
  const tiles = await Promise.all(Array.from({ length: data.shape[0]! }, (_, i) => tile(data, i, range)));
  const values = tiles.map((t, i) => ({ url: t.url(), column: i % columns, row: Math.floor(i / columns) }));
  return new Figure((theme, w) => {
    const cell = Math.min(w / columns, 60);
    return {
      ...grid(values, columns, cell, cell),
      layer: [
        { mark: { type: 'rect', width: cell - 5, height: cell - 5, fill: theme.grid } },
        { mark: { type: 'image', width: cell - 7, height: cell - 7 }, encoding: { url: { field: 'url' } } },
      ],
    };
  }, options);
}

function checkPictures(what: string, { shape, data }: PictureData): void {
  if (shape?.length !== 4) {
    refuse(
      `${what} of shape [${shape?.join(', ') ?? ''}]`,
      'pictures are [count, channels, height, width]',
      'give the data its shape: { data, shape: [25, 1, 28, 28] }',
    );
  }
  expectNumbers(what, data);
  expectCount(
    what,
    data,
    shape.reduce((a, b) => a * b, 1),
    `of shape [${shape.join(', ')}]`,
  );
  if (shape[1] !== 1 && shape[1] !== 3) {
    refuse(
      `${what} with ${shape[1]} channels`,
      'pictures have one channel (grey) or three (red, green, blue)',
      'choose one of the channels',
    );
  }
}

/** Places in a grid; the layers say what stands there. */
function grid(values: readonly Spec[], columns: number, width: number, height: number): Spec {
  const rows = Math.ceil(values.length / columns);
  const place = (field: string, n: number): Spec => ({
    field,
    type: 'quantitative',
    axis: null,
    scale: { domain: field === 'row' ? [n - 0.5, -0.5] : [-0.5, n - 0.5], nice: false, zero: false },
  });
  return {
    data: { values },
    width: width * columns,
    height: height * rows,
    view: { stroke: null },
    encoding: { x: place('column', columns), y: place('row', rows) },
  };
}

/** So many pixels a side at least: renderers smooth small pictures when they enlarge them. */
const leastSide = 112;

function tile(
  { shape, data }: PictureData,
  index: number,
  [low, high]: readonly [number, number],
): Promise<Picture> {
  const [, channels, height, width] = shape as [number, number, number, number];
  const plane = height * width;
  const start = index * channels * plane;
  const zoom = Math.max(1, Math.ceil(leastSide / Math.max(width, height)));
  const [w, h] = [width * zoom, height * zoom];
  const bytes = new Uint8Array(w * h * channels);
  for (let i = 0; i < w * h; i++) {
    const from = Math.floor(Math.floor(i / w) / zoom) * width + Math.floor((i % w) / zoom);
    for (let c = 0; c < channels; c++) {
      bytes[i * channels + c] = Math.round(
        (255 * (data[start + c * plane + from]! - low)) / (high - low || 1),
      );
    }
  }
  return picture(w, h, channels === 3 ? 'rgb' : 'grey', bytes);
}

function rangeOf(data: ArrayLike<number>): readonly [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < data.length; i++) {
    low = Math.min(low, data[i]!);
    high = Math.max(high, data[i]!);
  }
  return [low, high];
}
