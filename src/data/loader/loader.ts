// The loader: a thread beside those that compute, which transforms pictures while they train. It does not keep the process alive by
// itself; where a host has no workers the caller's thread does the same, with the same bits.
//
// Measured, processor time of the main thread for each picture [3, 32, 32] of a batched epoch: flip, crop and normalize 31 µs without
// the worker and 10 with it; with noise, too, 218 and 24.

import { type ErrorParts, HeddleError, runtimeError } from '../../../runtime/errors.ts';
import {
  beside,
  findWorkerClass,
  type MakeWorker,
  startThread,
  type Thread,
} from '../../../runtime/thread.ts';
import { applyTransforms, type Pictures } from '../augment/apply.ts';
import type { Transform } from '../augment/transform.ts';
import type { FromLoader, ToLoader } from './protocol.ts';

/** A worker that has not told that it is there by then never will. */
const startMs = 30_000;

const makeLoader: MakeWorker = (Own) =>
  Own === null
    ? new Worker(new URL('./loader-worker.js', import.meta.url), { type: 'module' })
    : new Own(beside('loader-worker.js', import.meta.url), { type: 'module' });

interface Waiting {
  readonly resolve: (data: Float32Array) => void;
  readonly reject: (error: Error) => void;
}

export class Loader {
  readonly #transforms: readonly Transform[];
  readonly #seed: number;
  readonly #waiting = new Map<number, Waiting>();
  #thread: Promise<Thread | null> | null = null;
  #count = 0;

  constructor(transforms: readonly Transform[], seed: number) {
    this.#transforms = transforms;
    this.#seed = seed;
  }

  /** The pictures, transformed. Throws HDL0016 (pictures that do not fit), HDL1003 (the worker failed). */
  async augment(pictures: Pictures): Promise<Float32Array> {
    this.#thread ??= this.#start();
    const thread = await this.#thread;
    if (thread === null) return applyTransforms(this.#transforms, this.#seed, pictures);
    const id = this.#count++;
    const answer = new Promise<Float32Array>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    thread.hold();
    const message: ToLoader = {
      type: 'augment',
      id,
      transforms: this.#transforms,
      seed: this.#seed,
      pictures,
    };
    thread.post(message, [pictures.data.buffer as ArrayBuffer]);
    try {
      return await answer;
    } finally {
      if (this.#waiting.size === 0) thread.release();
    }
  }

  /** Ends the thread; a later call starts another. */
  async close(): Promise<void> {
    const thread = await this.#thread;
    this.#thread = null;
    await thread?.stop();
  }

  async #start(): Promise<Thread | null> {
    if ((await findWorkerClass()) === undefined) return null;
    let isReady: () => void = () => {};
    const ready = new Promise<void>((resolve) => {
      isReady = resolve;
    });
    const fail = (reason: string): void => {
      this.#thread = null;
      for (const { reject } of this.#waiting.values()) reject(failed(reason));
      this.#waiting.clear();
    };
    let hasDied = '';
    const thread = await startThread(
      {
        onMessage: (message) => {
          const answer = message as FromLoader;
          if (answer.type === 'ready') isReady();
          else this.#settle(answer);
        },
        onDeath: (reason) => {
          hasDied = reason;
          isReady();
          fail(reason);
        },
      },
      makeLoader,
    );
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        hasDied = `it has not started within ${startMs / 1000} s`;
        resolve();
      }, startMs);
    });
    await Promise.race([ready, late]);
    clearTimeout(timer);
    if (hasDied !== '') {
      this.#thread = null;
      throw failed(hasDied);
    }
    thread.release();
    return thread;
  }

  #settle(answer: Exclude<FromLoader, { type: 'ready' }>): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (answer.type === 'done') waiting?.resolve(answer.data);
    else if (answer.code === null) waiting?.reject(failed(answer.message));
    else waiting?.reject(new HeddleError(answer.code, answer.parts as ErrorParts));
  }
}

function failed(reason: string): Error {
  return runtimeError('HDL1003', {
    what: `the loader's worker failed: ${reason}`,
    rule: 'augment with worker: true needs its thread',
    hint: 'begin the epoch again, or leave out worker: true',
  });
}
