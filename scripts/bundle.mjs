// Bundles the viewer's client (src/view/client) into build/viewer/: one script and one style, which `program.view` puts into
// its page. Types are checked by tsc with a configuration of its own, since only this code has a DOM.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Resolves when the bundle is written; rejects with esbuild's messages. */
export async function bundleClient(root) {
  const { build } = await import('esbuild');
  const out = join(root, 'build/viewer');
  await mkdir(out, { recursive: true });
  const licence = await readFile(join(root, 'node_modules/@dagrejs/dagre/LICENSE'), 'utf8');
  await build({
    absWorkingDir: root,
    entryPoints: { client: 'src/view/client/main.ts' },
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    // The pages that are written hold this code, so they hold the licence of what is in it.
    legalComments: 'none',
    footer: { js: `/*! With @dagrejs/dagre:\n${licence}*/` },
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
