// Figures: what is drawn, in both themes, and that nothing but drawing needs the plotting packages.

import t from 'tap';
import { contour } from '../../src/plot/contour.ts';
import type { Figure } from '../../src/plot/figure.ts';
import * as plot from '../../src/plot/index.ts';
import { needed } from '../../src/plot/needed.ts';
import { picture } from '../../src/plot/png.ts';

const figures: Readonly<Record<string, () => Figure | Promise<Figure>>> = {
  curves: () =>
    plot.curves({ train: [3, 2, 1], validation: [3, 2.5, 2] }, { title: 'loss', x: 'epoch', from: 1 }),
  scatter: () => plot.scatter({ x: [0, 0, 1, 1, 2, 0], y: [0, 1, 1], names: ['red', 'blue'] }),
  regions: () =>
    plot.decisionRegions({
      x: [-1, 0, 1, 0],
      y: [0, 1],
      // Positive to the right of x = 0.25.
      predict: async (places) => {
        const data = places.filter((_, i) => i % 2 === 0).map((x) => 1 / (1 + Math.exp(-8 * (x - 0.25))));
        return { data, shape: [data.length] };
      },
    }),
  surfaces: () =>
    plot.surfaces({ x: [0, 1], y: [0, 1], size: [2, 2], fields: { a: [1, 2, 3, 4], b: [-4, 0, 0, 4] } }),
  predictions: () =>
    plot.predictions({
      images: { shape: [2, 1, 2, 2], data: [0, 1, 2, 3, 3, 2, 1, 0] },
      labels: [0, 1],
      predicted: [0, 0],
      names: ['cat', 'dog'],
    }),
  filters: () => plot.filters({ shape: [2, 3, 2, 2], data: Float32Array.from({ length: 24 }, (_, i) => i) }),
  confusion: () =>
    plot.confusionMatrix(
      [
        [5, 1],
        [0, 7],
      ],
      { names: ['no', 'yes'] },
    ),
  histograms: () => plot.histograms({ w: [0, 0, 1, 2], b: [1] }, { bins: 4 }),
  bars: () => plot.bars({ cat: 0.9, dog: 0.1 }),
  graph: () =>
    plot.graph({
      nodes: [{ id: 'x' }, { id: 'y', label: ['y', '= 2x'] }],
      edges: [{ from: 'x', to: 'y', forward: '3', backward: '2' }],
    }),
  columns: () => plot.columns([plot.bars({ a: 1 }), plot.curves({ b: [1, 2] })], { title: 'two' }),
};

/** Words that a figure has to show. */
const words: Readonly<Record<string, readonly string[]>> = {
  curves: ['loss', 'epoch', 'train', 'validation'],
  scatter: ['red', 'blue'],
  predictions: ['cat', 'cat (dog)'],
  confusion: ['no', 'yes', 'predicted', 'actual', '5', '7'],
  histograms: ['count', 'value'],
  bars: ['cat', '0.900'],
  graph: ['= 2x', '3', '2'],
  columns: ['two'],
};

for (const [name, make] of Object.entries(figures)) {
  t.test(name, async (t) => {
    const figure = await make();
    const [light, dark] = [await figure.svg(), await figure.svg({ theme: 'dark' })];
    for (const word of words[name] ?? []) t.match(light, `>${word}<`, `shows '${word}'`);
    t.match(light, '#ffffff');
    t.match(dark, '#0d1117');
    t.notMatch(dark, 'NaN');
    const [, width] = /<svg[^>]* width="([\d.]+)"/.exec(light)!;
    t.ok(Number(width) <= 600, `${width} pixels wide`);
    t.equal(await figure.svg(), light, 'the same figure, the same text');
  });
}

t.test('PNG, of the size that was asked for', async (t) => {
  const bytes = await plot.curves({ loss: [3, 2, 1] }).png({ width: 300, scale: 2 });
  t.same([...bytes.subarray(1, 4)], [80, 78, 71]);
  const width = new DataView(bytes.buffer, bytes.byteOffset).getUint32(16);
  t.ok(width > 500 && width <= 600, `${width} pixels`);
});

const refused: readonly (readonly [string, () => unknown, RegExp])[] = [
  [
    'a figure that was not awaited',
    () => plot.rows([plot.bars({ a: 1 }), plot.filters({ shape: [1, 1, 1, 1], data: [1] }) as never]),
    /plot\.rows with a promise at position 1\n(.*\n)* {2}try: {2}await it/,
  ],
  ['no curves', () => plot.curves({}), /plot\.curves of nothing\n {2}rule: it takes curves by name/],
  [
    'a forgotten await',
    () => plot.curves(Promise.resolve({ loss: [1] }) as never),
    /is a promise\n.*\n(.*\n)?.*try: {2}await it/,
  ],
  [
    'a history without that figure',
    () => plot.curves({ loss: undefined as never }),
    /'loss' is undefined\n {2}rule: it is a list of numbers/,
  ],
  ['rows of rows', () => plot.histograms({ w: [[1, 2]] as never }), /'w' has a Array at position 0/],
  [
    'points and labels that do not belong together',
    () => plot.scatter({ x: [1, 2, 3], y: [0, 1] }),
    /x has 3 numbers\n {2}rule: it has 4: two for each point/,
  ],
  [
    'a net that answers for other places',
    () =>
      plot.decisionRegions({
        x: [0, 0, 1, 1],
        y: [0, 1],
        predict: async () => ({ data: [1, 2], shape: [2] }),
      }),
    /predict gave shape \[2\] for \d+ places/,
  ],
  [
    'a matrix that is not square',
    () => plot.confusionMatrix([1, 2, 3]),
    /confusionMatrix of 3 counts\n {2}rule: it is square/,
  ],
  [
    'pictures without a shape',
    () => plot.predictions({ images: { data: [1], shape: [1] }, labels: [0], predicted: [0] }),
    /of shape \[1\]\n {2}rule: pictures are \[count, channels, height, width\]/,
  ],
  [
    'two channels',
    () => plot.predictions({ images: { data: [1, 2], shape: [1, 2, 1, 1] }, labels: [0], predicted: [0] }),
    /with 2 channels/,
  ],
  [
    'an edge to nowhere',
    () => plot.graph({ nodes: [{ id: 'x' }], edges: [{ from: 'x', to: 'z' }] }),
    /there is no node 'z'/,
  ],
];
for (const [name, make, text] of refused) {
  t.test(name, async (t) => {
    await t.rejects(async () => make(), { code: 'HDL0016', message: text });
  });
}

t.test('a package that is not there', async (t) => {
  await t.rejects(needed('vega', Promise.reject(new Error('Cannot find package'))), {
    code: 'HDL0040',
    message: [
      'HDL0040: figures are drawn with the package vega, which cannot be loaded',
      '  rule: what only figures need is not installed with Heddle',
      '  try:  npm install vega vega-lite; for PNG also @resvg/resvg-wasm dejavu-fonts-ttf, for graphs @dagrejs/dagre',
    ].join('\n'),
  });
});

t.test('small pictures are PNGs', async (t) => {
  const { url } = await picture(2, 1, 'indexed', Uint8Array.of(1, 0));
  const bytes = Buffer.from(
    url([
      [255, 0, 0],
      [0, 255, 0],
    ]).split(',')[1]!,
    'base64',
  );
  t.match(bytes.toString('latin1'), /^\x89PNG\r\n.*IHDR.*PLTE.*IDAT.*IEND/s);
  // The checksum of an empty end chunk is known.
  t.equal(bytes.subarray(-4).toString('hex'), 'ae426082');
});

t.test('contours: one closed line around a hill, at its level', async (t) => {
  const side = 21;
  const field = Array.from(
    { length: side * side },
    (_, i) => -Math.hypot((i % side) - 10, Math.floor(i / side) - 10),
  );
  const lines = contour(field, side, side, -6, (c, r) => [c - 10, r - 10]);
  t.equal(lines.length, 1);
  t.same(lines[0]!.at(-1), lines[0]![0], 'it ends where it began');
  for (const [x, y] of lines[0]!) t.ok(Math.abs(Math.hypot(x, y) - 6) < 0.1, `${x}, ${y}`);
  t.same(
    contour(field, side, side, 1, (c, r) => [c, r]),
    [],
    'no line above the top',
  );
});

t.test('running means; long curves keep their extremes', async (t) => {
  t.same([...plot.runningMean([2, 4, 6, 8], 2)], [2, 3, 5, 7]);
  const values = Float32Array.from({ length: 10_000 }, () => 1);
  values[7777] = 99;
  t.ok((await plot.curves({ loss: values }).svg()).length < 60_000);
  t.match(await plot.curves({ loss: values }).svg(), '>100<', 'the axis reaches the one that stands out');
});
