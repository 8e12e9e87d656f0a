// Files of a figure: NAME.svg, NAME.png, and both for dark pages.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figure } from '../../src/plot/index.ts';

/** Writes the figure to a folder, which is made if need be. */
export async function writeFigure(folder: string, name: string, figure: Figure): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const theme of ['light', 'dark'] as const) {
    const path = join(folder, theme === 'light' ? name : `${name}-dark`);
    await writeFile(`${path}.svg`, await figure.svg({ theme }));
    await writeFile(`${path}.png`, await figure.png({ theme }));
  }
}
