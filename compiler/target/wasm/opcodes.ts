// The instructions that kernels use: name in the text format → number in the binary format. The encoder writes both
// forms from these tables, so that the printed text cannot differ from the bytes.
// Vector instruction n, which has the prefix 0xfd, is written 0xfd00 + n here (relaxed ones have n > 0xff).

/** Instructions without immediates. */
export const plainOps = {
  return: 0x0f,
  drop: 0x1a,
  'i32.eqz': 0x45,
  'i32.eq': 0x46,
  'i32.ne': 0x47,
  'i32.lt_s': 0x48,
  'i32.lt_u': 0x49,
  'i32.gt_u': 0x4b,
  'i32.ge_u': 0x4f,
  'i32.add': 0x6a,
  'i32.sub': 0x6b,
  'i32.mul': 0x6c,
  'i32.div_s': 0x6d,
  'i32.div_u': 0x6e,
  'i32.rem_s': 0x6f,
  'i32.rem_u': 0x70,
  'i32.and': 0x71,
  'i32.or': 0x72,
  'i32.shl': 0x74,
  'i32.shr_s': 0x75,
  'i32.shr_u': 0x76,
  'i32x4.splat': 0xfd11,
  'i32x4.eq': 0xfd37,
  'i32x4.ne': 0xfd38,
  'i32x4.lt_s': 0xfd39,
  'i32x4.lt_u': 0xfd3a,
  'i32x4.gt_s': 0xfd3b,
  'i32x4.gt_u': 0xfd3c,
  'i32x4.le_s': 0xfd3d,
  'i32x4.le_u': 0xfd3e,
  'i32x4.ge_s': 0xfd3f,
  'i32x4.ge_u': 0xfd40,
  'f32x4.eq': 0xfd41,
  'f32x4.ne': 0xfd42,
  'f32x4.lt': 0xfd43,
  'f32x4.gt': 0xfd44,
  'f32x4.le': 0xfd45,
  'f32x4.ge': 0xfd46,
  'v128.not': 0xfd4d,
  'v128.and': 0xfd4e,
  'v128.andnot': 0xfd4f,
  'v128.or': 0xfd50,
  'v128.xor': 0xfd51,
  'v128.bitselect': 0xfd52,
  'f32x4.ceil': 0xfd67,
  'f32x4.floor': 0xfd68,
  'f32x4.trunc': 0xfd69,
  'f32x4.nearest': 0xfd6a,
  'i16x8.extend_low_i8x16_u': 0xfd89,
  'i32x4.abs': 0xfda0,
  'i32x4.neg': 0xfda1,
  'i32x4.all_true': 0xfda3,
  'i32x4.bitmask': 0xfda4,
  'i32x4.extend_low_i16x8_u': 0xfda9,
  'i32x4.shl': 0xfdab,
  'i32x4.shr_s': 0xfdac,
  'i32x4.shr_u': 0xfdad,
  'i32x4.add': 0xfdae,
  'i32x4.sub': 0xfdb1,
  'i32x4.mul': 0xfdb5,
  'i32x4.min_s': 0xfdb6,
  'i32x4.min_u': 0xfdb7,
  'i32x4.max_s': 0xfdb8,
  'i32x4.max_u': 0xfdb9,
  'f32x4.abs': 0xfde0,
  'f32x4.neg': 0xfde1,
  'f32x4.sqrt': 0xfde3,
  'f32x4.add': 0xfde4,
  'f32x4.sub': 0xfde5,
  'f32x4.mul': 0xfde6,
  'f32x4.div': 0xfde7,
  'f32x4.pmin': 0xfdea,
  'f32x4.pmax': 0xfdeb,
  'i32x4.trunc_sat_f32x4_s': 0xfdf8,
  'i32x4.trunc_sat_f32x4_u': 0xfdf9,
  'f32x4.convert_i32x4_s': 0xfdfa,
  'f32x4.convert_i32x4_u': 0xfdfb,
  'f32x4.relaxed_madd': 0xfe05,
  'f32x4.relaxed_nmadd': 0xfe06,
  'i32x4.relaxed_laneselect': 0xfe0b,
} as const;
export type PlainOp = keyof typeof plainOps;

/** Loads and stores: number, binary logarithm of the natural alignment, and whether a lane number follows. */
export const memoryOps = {
  'i32.load': { code: 0x28, align: 2, lane: false },
  'i32.load8_u': { code: 0x2d, align: 0, lane: false },
  'i32.store': { code: 0x36, align: 2, lane: false },
  'v128.load': { code: 0xfd00, align: 2, lane: false },
  'v128.load32_splat': { code: 0xfd09, align: 2, lane: false },
  'v128.store': { code: 0xfd0b, align: 2, lane: false },
  'v128.load32_zero': { code: 0xfd5c, align: 2, lane: false },
  'v128.load64_zero': { code: 0xfd5d, align: 2, lane: false },
  // Four bytes at once have no alignment of their own.
  'v128.load32_lane': { code: 0xfd56, align: 2, lane: true },
  'v128.store8_lane': { code: 0xfd58, align: 0, lane: true },
  'v128.store32_lane': { code: 0xfd5a, align: 2, lane: true },
  'v128.store64_lane': { code: 0xfd5b, align: 2, lane: true },
} as const;
export type MemoryOp = keyof typeof memoryOps;

/** Instructions with a lane number. */
export const laneOps = {
  'i32x4.extract_lane': 0xfd1b,
  'i32x4.replace_lane': 0xfd1c,
} as const;
export type LaneOp = keyof typeof laneOps;

/** Types of locals. */
export const valueTypes = { i32: 0x7f, v128: 0x7b } as const;
export type ValueType = keyof typeof valueTypes;
