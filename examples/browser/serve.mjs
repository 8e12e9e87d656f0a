// Bundles the page and serves it on this machine: `npm run examples:browser`. All that an application has to do is here: three
// entries for the bundler, and two headers for the server.
//
//   npm run examples:browser -- [--port 8321] [--plain]     --plain: without the headers, so in one thread

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const types = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' };

/** They isolate the page from others: only then may its threads share memory. Scripts of workers need the second. */
const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** The files of the page, by their path. */
export async function bundlePage() {
  const { outputFiles } = await build({
    // A worker is a file of its own, beside the bundle and by this name. (Vite and webpack find it themselves.)
    entryPoints: { main: here('main.ts'), worker: here('../../runtime/worker.ts') },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2023',
    outdir: '/',
    write: false,
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [path.replaceAll('\\', '/'), contents]));
  for (const name of ['index.html', 'style.css']) files.set(`/${name}`, await readFile(here(name)));
  return files;
}

/** Resolves to a server that listens. Port 0: any that is free. */
export async function serve(files, { port, isIsolated }) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const path = pathname === '/' ? '/index.html' : pathname;
    const body = files.get(path);
    const headers = { 'Content-Type': types[extname(path)], ...(isIsolated ? isolation : {}) };
    if (body === undefined) response.writeHead(404).end();
    else response.writeHead(200, headers).end(body);
  });
  await new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, 'localhost', resolve);
  });
  return server;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { port: { type: 'string', default: '8321' }, plain: { type: 'boolean', default: false } },
  });
  const server = await serve(await bundlePage(), { port: Number(values.port), isIsolated: !values.plain });
  console.log(`http://localhost:${server.address().port}/   (Ctrl-C ends it)`);
}
