// Runs micro-kernels in this thread: the calling one, or a worker (then this file is the worker's entry). A job says what
// to run and for how long; the answer is a rate, in units of 10⁹ operations or bytes a second.
//
//     { kind: 'peak', fused, ms }          { kind: 'stream', stream: 'copy' | 'triad', bytes, ms }
//
// `gate`, with `workers`: all wait there for each other, so that they load the machine at the same time.

import { parentPort } from 'node:worker_threads';
import { peakKernel, streamKernel, streams } from '../build/src/profile/micro-kernels.js';

const pageBytes = 65536;
/** A call of the peak kernel takes about 0.1 ms: hot loops are optimised between calls. */
const roundsPerCall = 20_000;
const warmUpMs = 30;

const memory = new WebAssembly.Memory({ initial: 1, maximum: pageBytes, shared: true });
const kernels = new Map();

function kernelOf(job) {
  const key = job.kind === 'peak' ? `peak ${job.fused}` : job.stream;
  let found = kernels.get(key);
  if (found === undefined) {
    const made = job.kind === 'peak' ? peakKernel(job.fused) : { code: streamKernel(job.stream) };
    const { run } = new WebAssembly.Instance(new WebAssembly.Module(made.code), { env: { memory } }).exports;
    found = { run, flopsPerRound: made.flopsPerRound, isWarm: false };
    kernels.set(key, found);
  }
  return found;
}

/** One call, and what it does. */
function prepare(job) {
  const kernel = kernelOf(job);
  if (job.kind === 'peak') {
    return { kernel, call: () => kernel.run(roundsPerCall, 0), amount: roundsPerCall * kernel.flopsPerRound };
  }
  const arrays = streams[job.stream] / 4;
  const each = Math.max(64, Math.floor(job.bytes / arrays / 64) * 64);
  // A line between the arrays, so that equal positions in them do not fall into the same set of a cache.
  const stride = each + 1088;
  const missing = arrays * stride - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
  const calls = Math.max(1, Math.round(100_000 / each));
  const call = () => {
    for (let i = 0; i < calls; i++) kernel.run(0, stride, 2 * stride, each);
  };
  return { kernel, call, amount: calls * (each / 4) * streams[job.stream] };
}

function timed(call, amount, ms) {
  const start = performance.now();
  let elapsed = 0;
  let done = 0;
  do {
    call();
    done += amount;
    elapsed = performance.now() - start;
  } while (elapsed < ms);
  return done / elapsed / 1e6;
}

export function runJob(job) {
  const { kernel, call, amount } = prepare(job);
  timed(call, amount, kernel.isWarm ? 1 : warmUpMs);
  kernel.isWarm = true;
  if (job.gate) {
    Atomics.add(job.gate, 0, 1);
    while (Atomics.load(job.gate, 0) < job.workers);
  }
  return timed(call, amount, job.ms);
}

parentPort?.on('message', (job) => parentPort.postMessage(runJob(job)));
