// Bundles the viewer's client (src/view/client) into build/viewer/: one script and one style, which `program.view` puts into
// its page. Types are checked by tsc with a configuration of its own, since only this code has a DOM.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Resolves when the bundle is written; rejects with esbuild's messages. */
export async function bundleClient(root) {
  const { build } = await import('esbuild');
  const out = join(root, 'build/viewer');
  await mkdir(out, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: { client: 'src/view/client/main.ts' },
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    legalComments: 'eof',
    outfile: join(out, 'client.js'),
    logLevel: 'warning',
  });
  await build({
    absWorkingDir: root,
    entryPoints: ['src/view/client/style.css'],
    minify: true,
    charset: 'utf8',
    outfile: join(out, 'client.css'),
    logLevel: 'warning',
  });
}
