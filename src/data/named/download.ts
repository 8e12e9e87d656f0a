// One file over HTTP, to its end, whatever happens on the way: a connection that breaks or stalls is asked for the rest, a server that
// is busy is asked again. What is never done: to take what has arrived for the whole, when less has arrived than was announced.

import { runtimeError } from '../../../runtime/errors.ts';
import type { Part } from './part.ts';

export interface DownloadOptions {
  /** Milliseconds without a byte after which a connection counts as dead; default 30,000. */
  readonly stallMs?: number | undefined;
  /** How often in a row to try without getting anywhere; default 5. */
  readonly attempts?: number | undefined;
  /** Milliseconds before the second attempt, twice as many before each further one; default 500. */
  readonly retryMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Told of each piece: bytes so far, and of the whole where the server says. */
export type OnBytes = (bytes: number, total: number | null) => void;

/** Tells a failure that may pass from one that will not. */
class Attempt extends Error {
  readonly isFinal: boolean;
  readonly hint: string;
  /** Milliseconds that the server asks to wait. */
  readonly waitMs: number;

  constructor(message: string, hint: string, isFinal = false, waitMs = 0, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
    this.isFinal = isFinal;
    this.waitMs = waitMs;
  }
}

/** The longest that a server may ask to wait. */
const mostWaitMs = 60_000;

/** Downloads `url` to `part`, all of it. Throws HDL1021 when it cannot be had, the signal's reason when it is aborted. */
export async function download(
  url: string,
  part: Part,
  options: DownloadOptions,
  onBytes: OnBytes,
): Promise<void> {
  const { attempts = 5, retryMs = 500, signal } = options;
  let failures = 0;
  for (;;) {
    signal?.throwIfAborted();
    const before = part.size;
    try {
      await attempt(url, part, options, onBytes);
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Attempt)) throw error;
      failures = part.size > before ? 1 : failures + 1;
      if (error.isFinal || failures >= attempts) throw failed(url, part, error, failures);
      await pause(Math.max(retryMs * 2 ** (failures - 1), error.waitMs), signal);
    }
  }
}

function failed(url: string, part: Part, error: Attempt, failures: number): Error {
  const tried = failures > 1 ? ` (tried ${failures} times)` : '';
  return runtimeError(
    'HDL1021',
    {
      what: `download of ${url}: ${error.message}${tried}`,
      rule: 'a file is taken only when all of it has arrived',
      hint:
        part.size > 0 && !error.isFinal
          ? `call it again: it goes on behind the ${part.size} bytes that are here; ${error.hint}`
          : error.hint,
    },
    { cause: error.cause },
  );
}

async function attempt(url: string, part: Part, options: DownloadOptions, onBytes: OnBytes): Promise<void> {
  const stall = new Stall(options.stallMs ?? 30_000, options.signal);
  try {
    const have = part.size;
    const response = await fetchOnce(url, have, part.version, stall.signal);
    const total = await accept(response, part, have);
    if (total === 'complete') return;
    onBytes(part.size, total);
    const reader = response.body?.getReader();
    for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader!.read()) {
      stall.restart();
      await part.append(next.value);
      onBytes(part.size, total);
    }
    if (total !== null && part.size < total) {
      throw new Attempt(`the server sent ${part.size} of ${total} bytes`, 'try again later');
    }
    if (total !== null && part.size > total) {
      await part.restart(null);
      throw new Attempt(
        `the server sent more than the ${total} bytes it announced`,
        'use another base address',
      );
    }
  } catch (cause) {
    if (cause instanceof Attempt || options.signal?.aborted) throw cause;
    if (stall.hasStalled) {
      throw new Attempt(
        `no byte came for ${options.stallMs ?? 30_000} ms, after ${part.size}`,
        'check the connection, or give a larger stallMs',
        false,
        0,
        { cause },
      );
    }
    // What `fetch` and its streams throw: the reason is in the cause.
    if (!(cause instanceof TypeError)) throw cause;
    const reason = (cause.cause as { readonly message?: string } | undefined)?.message ?? cause.message;
    const hint = 'check the connection and the address; for files that are here give { folder }';
    throw new Attempt(`the connection failed, after ${part.size} bytes: ${reason}`, hint, false, 0, {
      cause,
    });
  } finally {
    stall.end();
  }
}

/** The answer to a request for the bytes from `have` on. */
async function fetchOnce(
  url: string,
  have: number,
  version: string | null,
  signal: AbortSignal,
): Promise<Response> {
  return fetch(url, {
    signal,
    headers: {
      // Lengths and ranges count the bytes of the file, not of a form that is packed for the way.
      'accept-encoding': 'identity',
      ...(have > 0 ? { range: `bytes=${have}-` } : {}),
      ...(have > 0 && version !== null ? { 'if-range': version } : {}),
    },
  });
}

/**
 * Looks at the head of an answer; makes the part begin where its body does. Returns the length of the whole file, null when the server
 * does not say, `complete` when there is no more to come.
 */
async function accept(response: Response, part: Part, have: number): Promise<number | null | 'complete'> {
  const { status, headers } = response;
  if (status === 206) {
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(headers.get('content-range') ?? '');
    if (range !== null && Number(range[1]) === have) {
      return range[3] === '*' ? Number(range[2]) + 1 : Number(range[3]);
    }
    await response.body?.cancel();
    await part.restart(null);
    throw new Attempt(`the server sent another range than bytes ${have} on`, 'use another base address');
  }
  if (status === 200) {
    await part.restart(versionOf(headers));
    const length = headers.get('content-length');
    // A body that was packed for the way has another length when it is unpacked.
    return length === null || headers.has('content-encoding') ? null : Number(length);
  }
  await response.body?.cancel();
  if (status === 416) {
    const total = /^bytes \*\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1];
    if (total !== undefined && Number(total) === have) return 'complete';
    await part.restart(null);
    throw new Attempt(`the server has no byte ${have}`, 'try again later');
  }
  const mayPass = status === 408 || status === 425 || status === 429 || status >= 500;
  const seconds = Number(headers.get('retry-after') ?? 0);
  throw new Attempt(
    `the server answers ${status} ${response.statusText}`.trimEnd(),
    mayPass
      ? 'try again later, or use another base address'
      : 'give another base address, { base }, or a folder with the files, { folder }',
    !mayPass,
    Math.min(mostWaitMs, (Number.isFinite(seconds) ? seconds : 0) * 1000),
  );
}

/** What an `If-Range` header may say; weak tags may not. */
function versionOf(headers: Headers): string | null {
  const tag = headers.get('etag');
  return tag !== null && !tag.startsWith('W/') ? tag : headers.get('last-modified');
}

/** Aborts when nothing comes for a while, or when the caller does. */
class Stall {
  readonly #control = new AbortController();
  readonly #ms: number;
  readonly #outer: AbortSignal | undefined;
  readonly #forward = (): void => this.#control.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;
  hasStalled = false;

  constructor(ms: number, outer: AbortSignal | undefined) {
    this.#ms = ms;
    this.#outer = outer;
    outer?.addEventListener('abort', this.#forward);
    this.restart();
  }

  get signal(): AbortSignal {
    return this.#control.signal;
  }

  restart(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.hasStalled = true;
      this.#control.abort();
    }, this.#ms);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#forward);
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });
}
