// A server of files that behaves badly on demand: each request takes the next of a list of behaviours, and the last one for good.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Behaviour =
  /** Answers as a good server does, ranges and all. */
  | { readonly kind: 'good' }
  /** Answers with a status. */
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  /** Sends so many bytes of what is asked for, and nothing more: the connection stays. */
  | { readonly kind: 'stall'; readonly bytes: number }
  /** Never answers. */
  | { readonly kind: 'silent' }
  /** Sends so many bytes and, when they have been seen, breaks the connection. */
  | { readonly kind: 'break'; readonly bytes: number }
  /** Announces another length than it sends, and breaks the connection when that has been seen. */
  | { readonly kind: 'lie'; readonly announce: number; readonly bytes?: number }
  /** Sends the whole file, whatever range is asked for. */
  | { readonly kind: 'ignoreRange' }
  /** Sends another range than it was asked for. */
  | { readonly kind: 'wrongRange' }
  /** Sends other bytes. */
  | { readonly kind: 'wrong' }
  /** Says nothing of the length. */
  | { readonly kind: 'chunked' };

export interface BadServer {
  readonly base: string;
  /** What was asked for, in order: path, range. */
  readonly requests: { readonly path: string; readonly range: string | undefined }[];
  /** What the next requests get. */
  script(...behaviours: Behaviour[]): void;
  /** The client has so many bytes of a file. */
  seen(bytes: number): void;
  /** Another version of the files: tag and bytes. */
  change(files: Readonly<Record<string, Uint8Array>>, tag: string): void;
  close(): Promise<void>;
}

export async function badServer(files: Readonly<Record<string, Uint8Array>>): Promise<BadServer> {
  let behaviours: Behaviour[] = [{ kind: 'good' }];
  let served = files;
  let etag = '"one"';
  const requests: BadServer['requests'] = [];
  let waiting: { readonly until: number; readonly act: () => void } | null = null;
  const seen = (bytes: number): void => {
    if (waiting === null || bytes < waiting.until) return;
    const { act } = waiting;
    waiting = null;
    act();
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { range, 'if-range': ifRange } = request.headers;
    const path = request.url ?? '/';
    requests.push({ path, range });
    const behaviour = behaviours.length > 1 ? behaviours.shift()! : behaviours[0]!;
    const file = served[path.slice(1)];
    if (behaviour.kind === 'silent') return;
    if (file === undefined || behaviour.kind === 'status') {
      const { status, headers } = behaviour.kind === 'status' ? behaviour : { status: 404, headers: {} };
      response.writeHead(status, headers);
      response.end('no');
      return;
    }
    const first = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const isRange =
      range !== undefined && behaviour.kind !== 'ignoreRange' && (ifRange === undefined || ifRange === etag);
    if (isRange && first >= file.length) {
      response.writeHead(416, { 'content-range': `bytes */${file.length}` });
      response.end();
      return;
    }
    const from = isRange ? (behaviour.kind === 'wrongRange' ? first + 1 : first) : 0;
    const body = behaviour.kind === 'wrong' ? file.slice().fill(7).subarray(from) : file.subarray(from);
    const length = behaviour.kind === 'lie' ? behaviour.announce : body.length;
    response.writeHead(isRange ? 206 : 200, {
      etag,
      ...(behaviour.kind === 'chunked' ? {} : { 'content-length': length }),
      ...(isRange ? { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` } : {}),
    });
    // Bytes that arrived and were not yet looked at would be lost with the connection.
    const breakAfter = (bytes: number): void => {
      waiting = { until: from + bytes, act: () => response.destroy() };
      response.write(body.subarray(0, bytes), () => {
        if (bytes === 0) seen(from);
      });
      response.flushHeaders();
    };
    switch (behaviour.kind) {
      case 'stall':
        response.write(body.subarray(0, behaviour.bytes));
        return;
      case 'break':
        breakAfter(behaviour.bytes);
        return;
      case 'lie':
        breakAfter(body.length);
        return;
      default:
        response.end(body);
    }
  };
  // What it sends may break HTTP's own rules.
  const server = createServer({ keepAliveTimeout: 1 }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    base: `http://127.0.0.1:${port}/`,
    requests,
    seen,
    script: (...next) => {
      behaviours = next;
      requests.length = 0;
    },
    change: (next, tag) => {
      served = next;
      etag = tag;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
