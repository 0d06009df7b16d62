/**
 * The command list that the WebAssembly side walks, word by word (32-bit). Shared with `assembly/`: only integer
 * constants here, in the subset that TypeScript and AssemblyScript both read.
 *
 * A list is a sequence of groups. A group is a row space of `GROUPS × ROWS` rows cut into units of at most `STRIP` rows,
 * and a chain of stages that every unit runs through; units go to whichever thread asks first, and all threads meet
 * after each group. Stage records follow the group record.
 *
 * An operand is four words: base address, bytes per group, bytes per row, and whether it lives in the thread's scratch
 * (then the base counts from there and holds the unit's rows only).
 */

// Group record.
export const GROUP_UNITS = 0;
export const GROUP_UNITS_EACH = 1; // units of one group
export const GROUP_STRIP = 2;
export const GROUP_ROWS = 3; // rows of one group
export const GROUP_STAGES = 4; // address of the first stage
export const GROUP_STAGE_COUNT = 5;
export const GROUP_COUNTER = 6; // address of the counter that hands out units
export const GROUP_WORDS = 7;

// What every stage record starts with.
export const STAGE_KIND = 0;
export const STAGE_LENGTH = 1; // words of the record

// Dtype codes.
export const TYPE_U8 = 0;
export const TYPE_I8 = 1;
export const TYPE_I16 = 2;
export const TYPE_I32 = 3;
export const TYPE_NONE = 4;

// Stage kinds.
export const KIND_LINEAR = 1;
export const KIND_REQUANTIZE = 2;
export const KIND_REQUANTIZE_ANY = 3;
export const KIND_ROWSCALE = 4;
export const KIND_ROWQUANTIZE = 5;
export const KIND_SOFTMAX = 6;
export const KIND_SHIFTGELU = 7;
export const KIND_LAYERNORM = 8;
export const KIND_LOOKUP = 9;
export const KIND_RAMPLOOKUP = 10;
export const KIND_COPY = 11;
export const KIND_VIEW = 12;
export const KIND_GATHER = 13;
export const KIND_MEAN = 14;
export const KIND_PACK = 15;
export const KIND_STRASSEN = 16; // linear's record; the left half's panels, B = int8 weights as they are
export const KIND_RELAXED_LINEAR = 17; // a LINEAR record, run by assembly/relaxed.ts
export const KIND_RELAXED_PACK = 18; // a PACK record, the same
export const KIND_RAMPMAP = 19;
export const KIND_FEW_ROWS = 20; // a LINEAR record: x i16, B = int8 weights as they are, LINEAR_B_GROUP bytes from row to row

// linear and matmul: out i32 = x · packed + bias.
export const LINEAR_X = 2;
export const LINEAR_OUT = 6;
export const LINEAR_X_TYPE = 10; // i8 or i16; u8 = log2 codes, and the right side is packed negated
export const LINEAR_K = 11;
export const LINEAR_PANELS = 12; // panels of 8 columns
export const LINEAR_B = 13; // address of the packed right side
export const LINEAR_B_GROUP = 14; // bytes of it per group
export const LINEAR_BIAS = 15; // address of i32[8·panels], or 0
export const LINEAR_PACKED = 16; // scratch offset of the packed left side
export const LINEAR_FLIP = 17; // relaxed: what x is xor-ed with, 0 or 128; the bias lies in the packed right side
export const LINEAR_WORDS = 18;

// Before the packed left side of KIND_STRASSEN: two tiles between its products, then seven panels.
export const STRASSEN_TILES_BYTES = 256;

// requantize, vector form.
export const REQ_X = 2;
export const REQ_OUT = 6;
export const REQ_ADD = 10;
export const REQ_ROW = 14;
export const REQ_COLUMNS = 18;
export const REQ_X_TYPE = 19;
export const REQ_OUT_TYPE = 20;
export const REQ_ADD_TYPE = 21;
export const REQ_M = 22; // address of i32[period][padded columns]
export const REQ_Z = 23; // the same for z
export const REQ_START = 24; // address of i64[period][padded columns], z and half included; 0 where SHIFT is not
export const REQ_FACTOR = 25; // power of two on x
export const REQ_SHIFT = 26; // right shift after the high word
export const REQ_TIES = 27;
export const REQ_ADD_M = 28;
export const REQ_ADD_FACTOR = 29;
export const REQ_DIVIDE = 30; // parameter row = (row / DIVIDE) mod PERIOD
export const REQ_PERIOD = 31;
export const REQ_STRIDE = 32; // bytes of one parameter row
export const REQ_ROW_G = 33; // row = g·ROW_G + i·ROW_I
export const REQ_ROW_I = 34;
export const REQ_TEMP = 35; // scratch offset of an i32 row
export const REQ_X_ROOM = 36; // bits that x·f·factor may still be shifted up
export const REQ_M_ROOM = 37; // bits that m may still be shifted up
export const REQ_ANY = 38; // address of the same op as KIND_REQUANTIZE_ANY, for rows beyond that room
export const REQ_ROW_TYPE = 39; // TYPE_NONE or TYPE_U8
export const REQ_WORDS = 40;

// requantize, any form.
export const ANY_X = 2;
export const ANY_OUT = 6;
export const ANY_ADD = 10;
export const ANY_ROW = 14;
export const ANY_COLUMNS = 18;
export const ANY_X_TYPE = 19;
export const ANY_OUT_TYPE = 20;
export const ANY_ADD_TYPE = 21;
export const ANY_ROW_TYPE = 22; // TYPE_NONE or TYPE_U8
export const ANY_M = 23; // addresses of i32[period][padded columns]
export const ANY_E = 24;
export const ANY_Z = 25;
export const ANY_BIAS = 26; // address of i32[columns] or 0
export const ANY_K = 27;
export const ANY_CHANNELS = 28; // address of i32[columns] or 0
export const ANY_ADD_M = 29;
export const ANY_ADD_E = 30;
export const ANY_DIVIDE = 31;
export const ANY_PERIOD = 32;
export const ANY_STRIDE = 33;
export const ANY_ROW_G = 34;
export const ANY_ROW_I = 35;
export const ANY_WORDS = 36;

// rowscale.
export const SCALE_X = 2;
export const SCALE_OUT = 6;
export const SCALE_COLUMNS = 10;
export const SCALE_CP = 11; // bounds of the columns that the mask keeps
export const SCALE_CN = 12;
export const SCALE_MASK = 13; // address of i16[columns], -1 = kept, else 0; 0 = all are kept
export const SCALE_OTHERS = 14; // address of i32[count][3]: column, cp, cn of the other columns
export const SCALE_OTHER_COUNT = 15;
export const SCALE_WORDS = 16;

// rowquantize.
export const QUANT_X = 2;
export const QUANT_ROW = 6;
export const QUANT_OUT = 10;
export const QUANT_COLUMNS = 14; // of the result
export const QUANT_Z = 15;
export const QUANT_CHANNELS = 16; // address of i32[columns] or 0
export const QUANT_SLOTS = 17; // address of i8[columns] or 0
export const QUANT_PLAIN = 18; // leading columns that stand for themselves, in no slot
export const QUANT_WORDS = 19;

// softmax.
export const SOFT_X = 2;
export const SOFT_OUT = 6;
export const SOFT_COLUMNS = 10;
export const SOFT_X_TYPE = 11;
export const SOFT_BITS = 12;
export const SOFT_TABLE = 13; // u16 for pow2, i32 otherwise
export const SOFT_LAST = 14; // index of the table's last entry
export const SOFT_POW2 = 15;
export const SOFT_TEMP = 16; // scratch offset of an i32 row
export const SOFT_LOG2 = 17; // 1 = u8 codes of 4 bits instead of probabilities
export const SOFT_WORDS = 18;

// shiftgelu.
export const GELU_X = 2;
export const GELU_OUT = 6;
export const GELU_COLUMNS = 10;
export const GELU_TABLE = 11; // i16[256 row maxima][256 values]
export const GELU_WORDS = 12;

// layernorm.
export const NORM_X = 2;
export const NORM_OUT = 6;
export const NORM_COLUMNS = 10;
export const NORM_X_TYPE = 11;
export const NORM_BIAS = 12; // address of i32[padded columns] or 0
export const NORM_WORDS = 13;

// lookup.
export const LOOK_X = 2;
export const LOOK_OUT = 6;
export const LOOK_COLUMNS = 10;
export const LOOK_FLIP = 11; // 128 for i8 values, 0 for u8: index = byte xor FLIP
export const LOOK_TABLE = 12;
export const LOOK_EACH = 13; // bytes from one channel's table to the next, 0 = shared
export const LOOK_OUT_TYPE = 14;
export const LOOK_CHANNELS = 15; // tables in a row of them, before the first one again
export const LOOK_WORDS = 16;

// ramplookup.
export const RAMP_X = 2;
export const RAMP_OUT = 6;
export const RAMP_COLUMNS = 10;
export const RAMP_TABLE = 11;
export const RAMP_LAST = 12;
export const RAMP_U = 13;
export const RAMP_WORDS = 14;

// ramplookup and requantize: see assembly/ramp-map.ts.
export const MAP_X = 2;
export const MAP_OUT = 6;
export const MAP_COLUMNS = 10;
export const MAP_TABLE = 11; // i16[LOW + HIGH + 1]
export const MAP_LOW = 12;
export const MAP_HIGH = 13;
export const MAP_TEMP = 14; // scratch offset of a u16 row
export const MAP_U = 15;
export const MAP_M = 16;
export const MAP_E = 17;
export const MAP_Z = 18;
export const MAP_WORDS = 19;

// copy of rows.
export const COPY_X = 2;
export const COPY_OUT = 6;
export const COPY_BYTES = 10;
export const COPY_WORDS = 11;

// strided view made dense: one unit per index of the outermost of six axes.
export const VIEW_X = 2; // address of the view's first element
export const VIEW_OUT = 3;
export const VIEW_BYTES = 4; // of one element
export const VIEW_SHAPE = 5; // six sizes
export const VIEW_STRIDES = 11; // six strides in bytes
export const VIEW_WORDS = 17;

// gather: one row a unit row.
export const GATHER_X = 2;
export const GATHER_OUT = 3;
export const GATHER_ROWS = 4; // address of i32 indices
export const GATHER_BYTES = 5;
export const GATHER_WORDS = 6;

// mean over the middle axis of [outer, size, inner]: one unit row per outer index.
export const MEAN_X = 2;
export const MEAN_OUT = 3;
export const MEAN_TYPE = 4;
export const MEAN_SIZE = 5;
export const MEAN_INNER = 6;
export const MEAN_WORDS = 7;

// packing the right side of a product: one unit row per panel of 8 columns.
export const PACK_X = 2; // address of element (0, 0) of group 0
export const PACK_X_GROUP = 3; // bytes from one group to the next
export const PACK_K_STRIDE = 4; // bytes from one k to the next
export const PACK_N_STRIDE = 5;
export const PACK_K = 6;
export const PACK_N = 7;
export const PACK_OUT = 8;
export const PACK_OUT_GROUP = 9;
export const PACK_FLIP = 10; // relaxed: as LINEAR_FLIP
export const PACK_NEGATE = 11; // 1 = -b
export const PACK_WORDS = 12;

// Control words at the start of memory.
export const CONTROL_ARRIVED = 64; // byte addresses, one cache line each
export const CONTROL_GENERATION = 128;
export const CONTROL_ABORT = 192;
export const CONTROL_STOP = 256;
export const CONTROL_BYTES = 320;

// The first bytes of a thread's scratch hold row ends on their way out.
export const SCRATCH_TAIL_BYTES = 64;
