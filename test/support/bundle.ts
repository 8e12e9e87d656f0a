// Bundles as an application makes them, by esbuild with no more than its usual settings. In: modules of build/. Out: the files
// by name, and what they weigh.

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';

/** From build/test/support/ to build/. */
const built = fileURLToPath(new URL('../../', import.meta.url));

/** `entries`: by the name of what comes out, paths from build/. Throws esbuild's messages, warnings included. */
export async function bundle(
  entries: Readonly<Record<string, string>>,
  options: BuildOptions = {},
): Promise<Map<string, string>> {
  const { outputFiles, warnings } = await build({
    absWorkingDir: built,
    entryPoints: { ...entries },
    bundle: true,
    splitting: options.format === undefined,
    format: 'esm',
    outdir: '/',
    write: false,
    logLevel: 'silent',
    ...options,
  });
  if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join('\n'));
  return new Map(outputFiles!.map(({ path, text }) => [path.slice(path.lastIndexOf('/') + 1), text]));
}

/** One file of a module that is given as text, and may import the package by its name. */
export async function bundleText(code: string, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: built },
    bundle: true,
    format: 'esm',
    write: false,
    logLevel: 'silent',
    ...options,
  });
  return outputFiles![0]!.text;
}

/** Bytes of what `code` becomes: minified, and packed as servers do. */
export async function weigh(code: string): Promise<{ readonly minified: number; readonly gzipped: number }> {
  const bytes = new TextEncoder().encode(await bundleText(code, { minify: true }));
  return { minified: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length };
}
