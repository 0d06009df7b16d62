/** Stage `requantize` in the form that vectorizes: row by row, parameters by the row's place. */
import {
  REQ_ADD,
  REQ_ADD_FACTOR,
  REQ_ADD_M,
  REQ_ADD_TYPE,
  REQ_ANY,
  REQ_COLUMNS,
  REQ_DIVIDE,
  REQ_FACTOR,
  REQ_M,
  REQ_M_ROOM,
  REQ_OUT,
  REQ_OUT_TYPE,
  REQ_PERIOD,
  REQ_ROW,
  REQ_ROW_G,
  REQ_ROW_I,
  REQ_ROW_TYPE,
  REQ_SHIFT,
  REQ_START,
  REQ_STRIDE,
  REQ_TEMP,
  REQ_TIES,
  REQ_X,
  REQ_X_ROOM,
  REQ_X_TYPE,
  REQ_Z,
  TYPE_I8,
  TYPE_I16,
  TYPE_I32,
  TYPE_NONE,
  TYPE_U8,
} from '../src/record-layout';
import { address, rowStride, word } from './operand';
import { requantizeAnyRow } from './requantize-any';
import { addedFrom, residualRow, scaledFrom, shiftedFrom, tiedRow } from './requantize-rows';

export function requantizeStage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  const columns = word(record, REQ_COLUMNS);
  const xType = word(record, REQ_X_TYPE);
  const outType = word(record, REQ_OUT_TYPE);
  const addType = word(record, REQ_ADD_TYPE);
  const addM = word(record, REQ_ADD_M);
  const addFactor = word(record, REQ_ADD_FACTOR);
  const byRow = word(record, REQ_ROW_TYPE) == TYPE_U8;
  const shift = word(record, REQ_SHIFT);
  const ties = word(record, REQ_TIES) != 0;
  const divide = word(record, REQ_DIVIDE);
  const period = word(record, REQ_PERIOD);
  const stride = word(record, REQ_STRIDE);
  const temp = scratch + word(record, REQ_TEMP);
  const mBase: usize = load<u32>(record + (REQ_M << 2));
  const zBase: usize = load<u32>(record + (REQ_Z << 2));
  const startBase: usize = load<u32>(record + (REQ_START << 2));
  const residual = shift == 0 && xType == TYPE_I32 && addType == TYPE_I16 && outType == TYPE_I16;
  const type = addType == TYPE_NONE ? outType : TYPE_I32;
  let x = address(record, REQ_X, g, i0, scratch);
  let out = address(record, REQ_OUT, g, i0, scratch);
  let add = address(record, REQ_ADD, g, i0, scratch);
  let code = address(record, REQ_ROW, g, i0, scratch);
  let row = g * word(record, REQ_ROW_G) + i0 * word(record, REQ_ROW_I);
  for (let i = 0; i < n; i++) {
    const shiftRows = period == 1 ? 0 : ((row / divide) % period) * stride;
    const m = mBase + shiftRows;
    const z = zBase + shiftRows;
    const start = startBase + 2 * shiftRows;
    const sum = addType == TYPE_NONE ? out : temp;
    let factor = word(record, REQ_FACTOR);
    let up = 1;
    let fits = true;
    if (byRow) {
      const scale: i32 = load<u8>(code);
      const exponent = scale >> 4;
      const onX = min(exponent, word(record, REQ_X_ROOM));
      const onM = exponent - onX;
      fits = onM <= word(record, REQ_M_ROOM);
      factor *= (16 + (scale & 15)) << onX;
      up = 1 << onM;
    }
    if (!fits) {
      requantizeAnyRow(load<u32>(record + (REQ_ANY << 2)), x, out, add, code, row);
    } else if (!residual || residualRow(x, out, columns, m, start, factor, up, add, addM, addFactor, scratch)) {
      if (residual) {
        tiedRow(x, xType, sum, type, columns, m, start, z, factor, up);
      } else if (shift) {
        if (xType == TYPE_I32) shiftedFrom<i32>(x, sum, type, columns, m, z, factor, shift, scratch);
        else shiftedFrom<i16>(x, sum, type, columns, m, z, factor, shift, scratch);
      } else {
        const tied =
          xType == TYPE_I32
            ? scaledFrom<i32>(x, sum, type, columns, m, start, factor, up, ties, scratch)
            : scaledFrom<i16>(x, sum, type, columns, m, start, factor, up, ties, scratch);
        if (tied) tiedRow(x, xType, sum, type, columns, m, start, z, factor, up);
      }
      if (addType == TYPE_I16) addedFrom<i16>(temp, add, out, outType, columns, addM, addFactor, scratch);
      else if (addType == TYPE_I8) addedFrom<i8>(temp, add, out, outType, columns, addM, addFactor, scratch);
      else if (addType == TYPE_I32) addedFrom<i32>(temp, add, out, outType, columns, addM, addFactor, scratch);
    }
    x += rowStride(record, REQ_X);
    out += rowStride(record, REQ_OUT);
    add += rowStride(record, REQ_ADD);
    code += rowStride(record, REQ_ROW);
    row += word(record, REQ_ROW_I);
  }
}
