// Where the viewer's client lies: bundled by `npm run build`, beside the built sources.

import { runtimeError } from '../../runtime/errors.ts';
import { nodeModule } from '../../runtime/node.ts';
import type { Client } from './html.ts';

/** Reads the client. Throws HDL1099 where it was not built, for the first file that is missing. */
export async function readClient(): Promise<Client> {
  const script = await readText('client.js');
  return { script, style: await readText('client.css') };
}

async function readText(name: string): Promise<string> {
  // From build/src/view/.
  const url = new URL(`../../viewer/${name}`, import.meta.url);
  try {
    const fs = nodeModule('node:fs/promises');
    if (fs !== undefined && url.protocol === 'file:') return await fs.readFile(url, 'utf8');
    const response = await fetch(url);
    if (response.ok) return await response.text();
    throw new Error(`${response.status} ${response.statusText}`);
  } catch (cause) {
    throw runtimeError(
      'HDL1099',
      {
        what: `the viewer's ${name} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
        rule: 'the viewer is built together with Heddle',
        hint:
          url.protocol === 'file:' ? 'npm run build' : `serve build/viewer/${name} of the package as ${url}`,
      },
      { cause },
    );
  }
}
