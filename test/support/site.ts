// A server on this machine for tests of pages. The first part of a path names a policy, which decides the headers; the rest is a
// file in memory, or one below the root of this checkout:
//
//     /isolated/build/runtime/index.js      the file build/runtime/index.js, with the headers of `isolated`
//
// Every answer of a policy has its headers, scripts of workers too: those have a content security policy of their own.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/** From build/test/support/ to the root. */
const root = fileURLToPath(new URL('../../../', import.meta.url));

type Headers = Readonly<Record<string, string>>;

const isolation: Headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export type Policy = 'isolated' | 'plain' | 'strict' | 'wasm';

const policies: Readonly<Record<Policy, Headers>> = {
  /** Memory can be shared. */
  isolated: isolation,
  plain: {},
  /** Neither eval nor WebAssembly. */
  strict: { ...isolation, 'Content-Security-Policy': "script-src 'self'" },
  /** WebAssembly, but no eval. */
  wasm: { ...isolation, 'Content-Security-Policy': "script-src 'self' 'wasm-unsafe-eval'" },
};

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
};

export interface Site {
  /** The address of a path under a policy. */
  url(policy: Policy, path: string): string;
  close(): Promise<void>;
}

/** Serves the files, by path, and those of the checkout; `onPost` is told what pages send. */
export async function startSite(
  files: ReadonlyMap<string, string | Uint8Array>,
  onPost?: (text: string) => void,
): Promise<Site> {
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      response.end();
      onPost?.(Buffer.concat(parts).toString());
      return;
    }
    const [, policy = '', path = ''] =
      /^\/([^/]*)\/(.*)$/.exec(new URL(request.url!, 'http://x').pathname) ?? [];
    const isSafe = !normalize(path).startsWith('..');
    const body = files.get(path) ?? (isSafe ? await readFile(join(root, path)).catch(() => null) : null);
    if (body === null || !Object.hasOwn(policies, policy)) {
      response.writeHead(404).end();
      return;
    }
    const type = types[extname(path)] ?? 'application/octet-stream';
    response.writeHead(200, { 'Content-Type': type, ...policies[policy as Policy] }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (policy, path) => `http://127.0.0.1:${port}/${policy}/${path}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
