// Loads. Bytes (bool, u8) are widened to 32 bits, and bool becomes a mask.

import { lowestLane } from '../access.ts';
import type { Of, ValueEmitter } from './emitter.ts';

/** Elements of a parameter, as vectors of 32-bit lanes: whole vectors where lanes are neighbours or the same. */
export function emitLoad(to: ValueEmitter, e: Of<'load'>): void {
  const { code } = to;
  const { storage } = to.kernel.params[e.param]!;
  const { local, offset } = to.pointer(e.param, e.index, e.laneStride);
  const isByte = storage === 'bool' || storage === 'u8';
  const single = to.lanes === 1;
  if (!isByte && (single || e.laneStride === 0 || e.laneStride === 1)) {
    code.get(local);
    const neighbours = to.lanes === 2 ? 'v128.load64_zero' : 'v128.load';
    code.memory(single ? 'v128.load32_zero' : e.laneStride === 0 ? 'v128.load32_splat' : neighbours, offset);
    return;
  }
  if (single || e.laneStride === 0) {
    code.get(local);
    code.memory('i32.load8_u', offset);
    code.op('i32x4.splat');
  } else if (isByte && e.laneStride === 1 && to.lanes === 4) {
    code.get(local);
    code.memory('v128.load32_zero', offset);
    code.op('i16x8.extend_low_i8x16_u');
    code.op('i32x4.extend_low_i16x8_u');
  } else {
    const bytes = isByte ? 1 : 4;
    const start = lowestLane(e.laneStride, to.lanes);
    const at = (lane: number): number => offset + (lane * e.laneStride - start) * bytes;
    code.get(local);
    code.memory(isByte ? 'i32.load8_u' : 'v128.load32_zero', at(0));
    if (isByte) code.op('i32x4.splat');
    const gathered = to.temporary('v128', 'v');
    for (let lane = 1; lane < to.lanes; lane++) {
      if (isByte) {
        code.get(local);
        code.memory('i32.load8_u', at(lane));
        code.lane('i32x4.replace_lane', lane);
      } else {
        code.set(gathered);
        code.get(local);
        code.get(gathered);
        code.memory('v128.load32_lane', at(lane), lane);
      }
    }
  }
  if (storage === 'bool') {
    code.get(to.splat(0));
    code.op('i32x4.ne');
  }
}
