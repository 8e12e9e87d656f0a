// The ceilings of this machine, now: peak of multiply-add and bandwidth of streams, on one worker (the calling thread)
// and on several at once. Every suite measures them first, in the same process, and the peak again in each round.

import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { interleave, median } from '../build/test/bench-support/statistics.js';
import { runJob } from './micro.mjs';

/** Memory that a stream touches: of the first cache, the second, what the third may hold, memory. */
export const footprints = [32 << 10, 1 << 20, 8 << 20, 64 << 20];

const blockMs = 25;

export class Ceilings {
  #threads = [];
  /** Whether fused multiply-add counts as the peak. */
  relaxed;

  constructor(relaxed) {
    this.relaxed = relaxed;
  }

  /** GFLOP/s of multiply-add in registers, all workers together. */
  peak(workers, fused = this.relaxed) {
    return this.#run({ kind: 'peak', fused, ms: blockMs }, workers);
  }

  /** GB/s of a stream over so many bytes, all workers together. */
  stream(stream, bytes, workers) {
    return this.#run({ kind: 'stream', stream, bytes: bytes / workers, ms: blockMs }, workers);
  }

  /** GB/s of the faster of copy and triad. */
  async bandwidth(bytes, workers) {
    return Math.max(await this.stream('copy', bytes, workers), await this.stream('triad', bytes, workers));
  }

  async stop() {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
    this.#threads = [];
  }

  async #run(job, workers) {
    if (workers === 1) return runJob(job);
    while (this.#threads.length < workers)
      this.#threads.push(new Worker(new URL('./micro.mjs', import.meta.url)));
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const rates = await Promise.all(
      this.#threads.slice(0, workers).map(async (thread) => {
        thread.ref();
        thread.postMessage({ ...job, gate, workers });
        const [rate] = await once(thread, 'message');
        thread.unref();
        return rate;
      }),
    );
    return rates.reduce((a, b) => a + b, 0);
  }
}

/** Worker counts that suites compare. */
export const workerCounts = availableParallelism() > 1 ? [1, 2] : [1];

/** Medians of all ceilings, as a table: rows by worker count. `isFull`: both peaks and both streams at every footprint. */
export async function measureCeilings(ceilings, rounds, isFull) {
  const contenders = workerCounts.flatMap((workers) => [
    ...(isFull ? [false, true] : [ceilings.relaxed])
      .filter((fused) => !fused || ceilings.relaxed)
      .map((fused) => ({
        name: `${fused ? 'multiply-add, fused' : 'multiply and add'}, GFLOP/s`,
        workers,
        sample: () => ceilings.peak(workers, fused),
      })),
    ...(isFull ? footprints : footprints.slice(-2)).flatMap((bytes) =>
      ['copy', 'triad'].map((stream) => ({
        name: `${stream} over ${bytes < 1 << 20 ? `${bytes >> 10} KiB` : `${bytes >> 20} MiB`}, GB/s`,
        workers,
        sample: () => ceilings.stream(stream, bytes, workers),
      })),
    ),
  ]);
  const samples = await interleave(
    rounds,
    contenders.map((c) => ({ ...c, name: `${c.workers} ${c.name}` })),
  );
  return contenders.map((c) => ({
    name: c.name,
    workers: c.workers,
    value: median(samples.get(`${c.workers} ${c.name}`)),
  }));
}

export function printCeilings(rows) {
  const names = [...new Set(rows.map((r) => r.name))];
  console.log(
    `  ${'ceiling'.padEnd(30)}${workerCounts.map((w) => `${w} worker${w > 1 ? 's' : ''}`.padStart(12)).join('')}`,
  );
  for (const name of names) {
    const cells = workerCounts.map((w) =>
      rows
        .find((r) => r.name === name && r.workers === w)
        .value.toFixed(1)
        .padStart(12),
    );
    console.log(`  ${name.padEnd(30)}${cells.join('')}`);
  }
}
