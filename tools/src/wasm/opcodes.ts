/**
 * Opcodes of WebAssembly: the core specification with sign extension, bulk memory and reference types, 128-bit SIMD, threads
 * and relaxed SIMD. What is not here (exceptions, garbage collection, tail calls) the walker refuses.
 */

/** What follows an opcode: `memory` is alignment and offset, `index` one unsigned number, `lane` one byte. */
export type Immediate =
  | 'block'
  | 'branches'
  | 'byte'
  | 'bytes4'
  | 'bytes8'
  | 'bytes16'
  | 'index'
  | 'lane'
  | 'memory'
  | 'reference'
  | 's32'
  | 's64'
  | 'types';

export interface Opcode {
  readonly name: string;
  readonly immediates: readonly Immediate[];
}

export type OpcodeTable = ReadonlyMap<number, Opcode>;

type Rows = readonly (readonly [first: number, names: string, ...immediates: readonly Immediate[]])[];

/** Each row names opcodes in sequence; a name that starts with a dot takes its type from the one before it. */
function table(rows: Rows): OpcodeTable {
  const opcodes = new Map<number, Opcode>();
  for (const [first, names, ...immediates] of rows) {
    let type = '';
    for (const [index, word] of names.trim().split(/\s+/).entries()) {
      if (!word.startsWith('.')) type = word.split('.')[0] ?? '';
      const name = word.startsWith('.') ? `${type}${word}` : word;
      if (opcodes.has(first + index)) throw new RangeError(`opcode ${first + index} stands twice in its table`);
      opcodes.set(first + index, { name, immediates });
    }
  }
  return opcodes;
}

const INTEGER_COMPARISONS = '.eq .ne .lt_s .lt_u .gt_s .gt_u .le_s .le_u .ge_s .ge_u';
const FLOAT_COMPARISONS = '.ne .lt .gt .le .ge';
const INTEGER_ARITHMETIC =
  '.ctz .popcnt .add .sub .mul .div_s .div_u .rem_s .rem_u .and .or .xor .shl .shr_s .shr_u .rotl .rotr';
const FLOAT_ARITHMETIC = '.neg .ceil .floor .trunc .nearest .sqrt .add .sub .mul .div .min .max .copysign';

export const CORE: OpcodeTable = table([
  [0x00, 'unreachable nop'],
  [0x02, 'block loop if', 'block'],
  [0x05, 'else'],
  [0x0b, 'end'],
  [0x0c, 'br br_if', 'index'],
  [0x0e, 'br_table', 'branches'],
  [0x0f, 'return'],
  [0x10, 'call', 'index'],
  [0x11, 'call_indirect', 'index', 'index'],
  [0x1a, 'drop select'],
  [0x1c, 'select', 'types'],
  [0x20, 'local.get .set .tee global.get .set table.get .set', 'index'],
  [0x28, 'i32.load i64.load f32.load f64.load i32.load8_s .load8_u .load16_s .load16_u', 'memory'],
  [0x30, 'i64.load8_s .load8_u .load16_s .load16_u .load32_s .load32_u', 'memory'],
  [0x36, 'i32.store i64.store f32.store f64.store i32.store8 .store16 i64.store8 .store16 .store32', 'memory'],
  [0x3f, 'memory.size .grow', 'index'],
  [0x41, 'i32.const', 's32'],
  [0x42, 'i64.const', 's64'],
  [0x43, 'f32.const', 'bytes4'],
  [0x44, 'f64.const', 'bytes8'],
  [0x45, `i32.eqz ${INTEGER_COMPARISONS} i64.eqz ${INTEGER_COMPARISONS}`],
  [0x5b, `f32.eq ${FLOAT_COMPARISONS} f64.eq ${FLOAT_COMPARISONS}`],
  [0x67, `i32.clz ${INTEGER_ARITHMETIC} i64.clz ${INTEGER_ARITHMETIC}`],
  [0x8b, `f32.abs ${FLOAT_ARITHMETIC} f64.abs ${FLOAT_ARITHMETIC}`],
  [0xa7, 'i32.wrap_i64 .trunc_f32_s .trunc_f32_u .trunc_f64_s .trunc_f64_u'],
  [0xac, 'i64.extend_i32_s .extend_i32_u .trunc_f32_s .trunc_f32_u .trunc_f64_s .trunc_f64_u'],
  [0xb2, 'f32.convert_i32_s .convert_i32_u .convert_i64_s .convert_i64_u .demote_f64'],
  [0xb7, 'f64.convert_i32_s .convert_i32_u .convert_i64_s .convert_i64_u .promote_f32'],
  [0xbc, 'i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64'],
  [0xc0, 'i32.extend8_s .extend16_s i64.extend8_s .extend16_s .extend32_s'],
  [0xd0, 'ref.null', 'reference'],
  [0xd1, 'ref.is_null'],
  [0xd2, 'ref.func', 'index'],
]);

/** After the byte 0xFC. */
export const MISCELLANEOUS: OpcodeTable = table([
  [0, 'i32.trunc_sat_f32_s .trunc_sat_f32_u .trunc_sat_f64_s .trunc_sat_f64_u'],
  [4, 'i64.trunc_sat_f32_s .trunc_sat_f32_u .trunc_sat_f64_s .trunc_sat_f64_u'],
  [8, 'memory.init', 'index', 'index'],
  [9, 'data.drop', 'index'],
  [10, 'memory.copy', 'index', 'index'],
  [11, 'memory.fill', 'index'],
  [12, 'table.init', 'index', 'index'],
  [13, 'elem.drop', 'index'],
  [14, 'table.copy', 'index', 'index'],
  [15, 'table.grow .size .fill', 'index'],
]);

const SHIFTS = '.shl .shr_s .shr_u';
const SATURATING = '.add .add_sat_s .add_sat_u .sub .sub_sat_s .sub_sat_u';
const LIMITS = '.min_s .min_u .max_s .max_u';

function extended(what: string, from: string): string {
  return `.${what}_low_${from}_s .${what}_high_${from}_s .${what}_low_${from}_u .${what}_high_${from}_u`;
}

/** After the byte 0xFD. */
export const VECTOR: OpcodeTable = table([
  [0, 'v128.load .load8x8_s .load8x8_u .load16x4_s .load16x4_u .load32x2_s .load32x2_u', 'memory'],
  [7, 'v128.load8_splat .load16_splat .load32_splat .load64_splat .store', 'memory'],
  [12, 'v128.const i8x16.shuffle', 'bytes16'],
  [14, 'i8x16.swizzle .splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat'],
  [21, 'i8x16.extract_lane_s .extract_lane_u .replace_lane', 'lane'],
  [24, 'i16x8.extract_lane_s .extract_lane_u .replace_lane', 'lane'],
  [27, 'i32x4.extract_lane .replace_lane i64x2.extract_lane .replace_lane', 'lane'],
  [31, 'f32x4.extract_lane .replace_lane f64x2.extract_lane .replace_lane', 'lane'],
  [35, 'i8x16.eq .ne .lt_s .lt_u .gt_s .gt_u .le_s .le_u .ge_s .ge_u'],
  [45, 'i16x8.eq .ne .lt_s .lt_u .gt_s .gt_u .le_s .le_u .ge_s .ge_u'],
  [55, 'i32x4.eq .ne .lt_s .lt_u .gt_s .gt_u .le_s .le_u .ge_s .ge_u'],
  [65, `f32x4.eq ${FLOAT_COMPARISONS} f64x2.eq ${FLOAT_COMPARISONS}`],
  [77, 'v128.not .and .andnot .or .xor .bitselect .any_true'],
  [84, 'v128.load8_lane .load16_lane .load32_lane .load64_lane', 'memory', 'lane'],
  [88, 'v128.store8_lane .store16_lane .store32_lane .store64_lane', 'memory', 'lane'],
  [92, 'v128.load32_zero .load64_zero', 'memory'],
  [94, 'f32x4.demote_f64x2_zero f64x2.promote_low_f32x4'],
  [96, 'i8x16.abs .neg .popcnt .all_true .bitmask .narrow_i16x8_s .narrow_i16x8_u'],
  [103, 'f32x4.ceil .floor .trunc .nearest'],
  [107, `i8x16.shl .shr_s .shr_u ${SATURATING}`],
  [116, 'f64x2.ceil .floor'],
  [118, 'i8x16.min_s .min_u .max_s .max_u f64x2.trunc i8x16.avgr_u'],
  [124, 'i16x8.extadd_pairwise_i8x16_s .extadd_pairwise_i8x16_u'],
  [126, 'i32x4.extadd_pairwise_i16x8_s .extadd_pairwise_i16x8_u'],
  [128, 'i16x8.abs .neg .q15mulr_sat_s .all_true .bitmask .narrow_i32x4_s .narrow_i32x4_u'],
  [135, `i16x8${extended('extend', 'i8x16')} ${SHIFTS} ${SATURATING} f64x2.nearest`],
  [149, `i16x8.mul ${LIMITS}`],
  [155, `i16x8.avgr_u ${extended('extmul', 'i8x16')}`],
  [160, 'i32x4.abs .neg'],
  [163, 'i32x4.all_true .bitmask'],
  [167, `i32x4${extended('extend', 'i16x8')} ${SHIFTS} .add`],
  [177, 'i32x4.sub'],
  [181, `i32x4.mul ${LIMITS} .dot_i16x8_s`],
  [188, `i32x4${extended('extmul', 'i16x8')}`],
  [192, 'i64x2.abs .neg'],
  [195, 'i64x2.all_true .bitmask'],
  [199, `i64x2${extended('extend', 'i32x4')} ${SHIFTS} .add`],
  [209, 'i64x2.sub'],
  [213, `i64x2.mul .eq .ne .lt_s .gt_s .le_s .ge_s ${extended('extmul', 'i32x4')}`],
  [224, 'f32x4.abs .neg'],
  [227, 'f32x4.sqrt .add .sub .mul .div .min .max .pmin .pmax f64x2.abs .neg'],
  [239, 'f64x2.sqrt .add .sub .mul .div .min .max .pmin .pmax'],
  [248, 'i32x4.trunc_sat_f32x4_s .trunc_sat_f32x4_u f32x4.convert_i32x4_s .convert_i32x4_u'],
  [252, 'i32x4.trunc_sat_f64x2_s_zero .trunc_sat_f64x2_u_zero f64x2.convert_low_i32x4_s .convert_low_i32x4_u'],
  [256, 'i8x16.relaxed_swizzle i32x4.relaxed_trunc_f32x4_s .relaxed_trunc_f32x4_u'],
  [259, 'i32x4.relaxed_trunc_f64x2_s_zero .relaxed_trunc_f64x2_u_zero'],
  [261, 'f32x4.relaxed_madd .relaxed_nmadd f64x2.relaxed_madd .relaxed_nmadd'],
  [265, 'i8x16.relaxed_laneselect i16x8.relaxed_laneselect i32x4.relaxed_laneselect i64x2.relaxed_laneselect'],
  [269, 'f32x4.relaxed_min .relaxed_max f64x2.relaxed_min .relaxed_max'],
  [273, 'i16x8.relaxed_q15mulr_s .relaxed_dot_i8x16_i7x16_s i32x4.relaxed_dot_i8x16_i7x16_add_s'],
]);

/** One read-modify-write operation in its seven widths. */
function modify(operation: string): string {
  const whole = ['i32.atomic.rmw', 'i64.atomic.rmw'];
  const narrow = ['i32.atomic.rmw8', 'i32.atomic.rmw16', 'i64.atomic.rmw8', 'i64.atomic.rmw16', 'i64.atomic.rmw32'];
  return [...whole.map((name) => `${name}.${operation}`), ...narrow.map((name) => `${name}.${operation}_u`)].join(' ');
}

/** After the byte 0xFE. */
export const ATOMIC: OpcodeTable = table([
  [0x00, 'memory.atomic.notify memory.atomic.wait32 memory.atomic.wait64', 'memory'],
  [0x03, 'atomic.fence', 'byte'],
  [0x10, 'i32.atomic.load i64.atomic.load i32.atomic.load8_u i32.atomic.load16_u', 'memory'],
  [0x14, 'i64.atomic.load8_u i64.atomic.load16_u i64.atomic.load32_u', 'memory'],
  [0x17, 'i32.atomic.store i64.atomic.store i32.atomic.store8 i32.atomic.store16', 'memory'],
  [0x1b, 'i64.atomic.store8 i64.atomic.store16 i64.atomic.store32', 'memory'],
  [0x1e, ['add', 'sub', 'and', 'or', 'xor', 'xchg', 'cmpxchg'].map(modify).join(' '), 'memory'],
]);

/** Tables behind a prefix byte. */
export const PREFIXED: ReadonlyMap<number, OpcodeTable> = new Map([
  [0xfc, MISCELLANEOUS],
  [0xfd, VECTOR],
  [0xfe, ATOMIC],
]);
