// From SVG to PNG without a browser: resvg, compiled to WebAssembly, with a font in hand, since there may be none on the machine.
// The packages' files are read from where Node finds them.

import { nodeModule } from '../../runtime/node.ts';
import { expectFiles } from '../files.ts';
import { needed } from './needed.ts';

let ready: Promise<typeof import('@resvg/resvg-wasm')> | undefined;

/** The library, initialized once a process. */
async function library(): Promise<typeof import('@resvg/resvg-wasm')> {
  const resvg = await needed('@resvg/resvg-wasm', import('@resvg/resvg-wasm'));
  await resvg.initWasm(readPackaged('@resvg/resvg-wasm/index_bg.wasm'));
  return resvg;
}

/** The bytes of a package's file. */
async function readPackaged(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = nodeModule('node:module')!
    .createRequire(import.meta.url)
    .resolve(name);
  return nodeModule('node:fs/promises')!.readFile(path);
}

async function dejaVu(): Promise<Uint8Array[]> {
  const folder = 'dejavu-fonts-ttf/ttf';
  return Promise.all(
    ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) =>
      needed('dejavu-fonts-ttf', readPackaged(`${folder}/${file}`)),
    ),
  );
}

/** SVG text as PNG bytes, `scale` pixels for each of its own. Throws HDL0040, HDL0017 where there are no files. */
export async function rasterize(svg: string, scale: number, font?: Uint8Array): Promise<Uint8Array> {
  expectFiles('a figure as PNG', 'draw its SVG on a canvas, or show it as it is');
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
