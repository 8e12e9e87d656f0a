// Pictures inside of figures: small PNGs as data URLs. What is a picture of data (regions, digits, filters) would be tens of
// thousands of rectangles otherwise.
//
//   signature | IHDR | PLTE, of indexed pictures | IDAT: rows, each after a filter byte of 0, as zlib data | IEND
//
// Rows are compressed once; a palette is put in for each theme.

import type { Rgb } from './themes.ts';

/** What a pixel is: an index into a palette, a grey, or red, green, blue; one byte each. */
export type PixelKind = 'indexed' | 'grey' | 'rgb';

const colorType: Readonly<Record<PixelKind, number>> = { grey: 0, rgb: 2, indexed: 3 };

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** The data URL; with a palette of at most 256 colours where pixels are indices. */
  readonly url: (palette?: readonly Rgb[]) => string;
}

/** A picture of bytes, row by row from the top. */
export async function picture(
  width: number,
  height: number,
  kind: PixelKind,
  bytes: Uint8Array,
): Promise<Picture> {
  const stride = width * (kind === 'rgb' ? 3 : 1);
  const rows = new Uint8Array(height * (stride + 1));
  for (let y = 0; y < height; y++)
    rows.set(bytes.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, colorType[kind]], 8);
  const packed = chunk('IDAT', await deflate(rows));
  return {
    width,
    height,
    url: (palette) => {
      const parts = [Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10), chunk('IHDR', header)];
      if (kind === 'indexed') parts.push(chunk('PLTE', Uint8Array.from((palette ?? []).flat())));
      parts.push(packed, chunk('IEND', new Uint8Array(0)));
      return `data:image/png;base64,${base64(parts)}`;
    },
  };
}

async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}

/** The checksum of PNG and gzip, bit by bit. */
function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function base64(parts: readonly Uint8Array[]): string {
  let text = '';
  for (const part of parts) for (const byte of part) text += String.fromCharCode(byte);
  return btoa(text);
}
