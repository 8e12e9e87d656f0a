// From SVG to PNG without a browser: resvg, compiled to WebAssembly, with a font in hand, since there may be none on the machine.

// @node-only: reads the packages' files

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { needed } from './figure.ts';

const require = createRequire(import.meta.url);

let ready: Promise<typeof import('@resvg/resvg-wasm')> | undefined;

/** The library, initialized once a process. */
async function library(): Promise<typeof import('@resvg/resvg-wasm')> {
  const resvg = await needed('@resvg/resvg-wasm', import('@resvg/resvg-wasm'));
  await resvg.initWasm(readFile(require.resolve('@resvg/resvg-wasm/index_bg.wasm')));
  return resvg;
}

async function dejaVu(): Promise<Uint8Array[]> {
  const folder = 'dejavu-fonts-ttf/ttf';
  return Promise.all(
    ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) =>
      needed(
        'dejavu-fonts-ttf',
        Promise.resolve().then(() => readFile(require.resolve(`${folder}/${file}`))),
      ),
    ),
  );
}

/** SVG text as PNG bytes, `scale` pixels for each of its own. Throws HDL0040. */
export async function rasterize(svg: string, scale: number, font?: Uint8Array): Promise<Uint8Array> {
  ready ??= library();
  const { Resvg } = await ready.catch((error) => {
    ready = undefined;
    throw error;
  });
  const renderer = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: {
      fontBuffers: font === undefined ? await dejaVu() : [font],
      defaultFontFamily: 'DejaVu Sans',
      sansSerifFamily: 'DejaVu Sans',
    },
  });
  try {
    return renderer.render().asPng();
  } finally {
    renderer.free();
  }
}
