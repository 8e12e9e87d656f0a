// What one core of this machine can do at best, measured now: the peak of multiply-adds in registers, and the bandwidth of
// streams over as much memory as a plan uses. By micro-kernels (micro-kernels.ts) in the calling thread, which they keep
// busy for a tenth of a second; of several rounds the best counts, since other work on the machine only ever adds time.

import { compileModule } from '../../runtime/compile-module.ts';
import { featureObstacle, relaxedSimd } from '../../runtime/features.ts';
import { peakKernel, type Stream, streamKernel, streams } from './micro-kernels.ts';
import type { Ceiling } from './roofline.ts';

const pageBytes = 65536;
/** A call of the peak kernel takes about 0.1 ms: hot loops are optimised between calls. */
const roundsPerCall = 20_000;
const warmUpMs = 10;
const blockMs = 4;
const blocks = 5;
/** No cache holds more, and less is not memory. */
const footprint = { least: 32 << 10, most: 64 << 20 };

/**
 * GFLOP/s and GB/s of one core; `bytes` is what the streams touch together.
 *
 * @example const { gflops, gbps } = await measureCeilings(8 << 20);
 */
export async function measureCeilings(
  bytes: number,
  fused: boolean = featureObstacle(relaxedSimd) === null,
): Promise<Ceiling> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: pageBytes, shared: true });
  const bind = async (code: Uint8Array<ArrayBuffer>): Promise<(...args: number[]) => void> => {
    const module = await compileModule(code, fused ? [relaxedSimd] : []);
    return new WebAssembly.Instance(module, { env: { memory } }).exports['run'] as () => void;
  };
  const { code, flopsPerRound } = peakKernel(fused);
  const peak = await bind(code);
  const gflops = best(() => peak(roundsPerCall, 0), roundsPerCall * flopsPerRound);

  let gbps = 0;
  const total = Math.min(Math.max(bytes, footprint.least), footprint.most);
  for (const stream of Object.keys(streams) as Stream[]) {
    const arrays = streams[stream] / 4;
    const each = Math.max(64, Math.floor(total / arrays / 64) * 64);
    // A line between the arrays, so that equal positions in them do not fall into the same set of a cache.
    const stride = each + 1088;
    const missing = arrays * stride - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
    const run = await bind(streamKernel(stream));
    gbps = Math.max(
      gbps,
      best(() => run(0, stride, 2 * stride, each), (each / 4) * streams[stream]),
    );
  }
  return { gflops, gbps };
}

/** The highest rate of some blocks of calls, in 10⁹ a second. */
function best(call: () => void, amount: number): number {
  const block = (ms: number): number => {
    const start = performance.now();
    let done = 0;
    for (;;) {
      call();
      done += amount;
      const elapsed = performance.now() - start;
      if (elapsed >= ms) return done / elapsed / 1e6;
    }
  };
  block(warmUpMs);
  return Math.max(...Array.from({ length: blocks }, () => block(blockMs)));
}
