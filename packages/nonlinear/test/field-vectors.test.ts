/** The vectors of tools/oracle/make_field_vectors.py: 0 differences. */

import {
  elementShiftGeluTable,
  iGelu,
  log2Product,
  log2SoftmaxRows,
  type PolynomialExp,
  polynomialExp,
  polynomialExpTable,
  powerOfTwoRows,
  sqrtLayerNormRows,
} from '@ivit/nonlinear';
import {
  fqExpParameters,
  iExpParameters,
  iGeluParameters,
  iGeluRampTable,
  iGeluTable,
  shiftGeluRampTable,
} from '@ivit/nonlinear/convert';
import { describe, expect, it } from 'vitest';
import vectors from './fixtures/field-vectors.json' with { type: 'json' };

describe('vectors of the independent generator', () => {
  it.each(vectors.exponential)('exponential $kind at $scale, n $parameters.n', ({ scale, kind, parameters, x, y }) => {
    expect(kind === 'i-bert' ? iExpParameters(scale) : fqExpParameters(scale, parameters.n)).toEqual(parameters);
    expect(x.map((value) => polynomialExp(value, parameters))).toEqual(y);
  });

  it.each(vectors.log2Softmax)('log2 softmax of $x, $bits bits', ({ parameters, bits, x, y }) => {
    const table = polynomialExpTable(parameters satisfies PolynomialExp);
    const out = new Uint8Array(x.length);
    log2SoftmaxRows(out, 0, Int16Array.from(x), 0, 1, x.length, { table }, bits);
    expect([...out]).toEqual(y);
  });

  it.each(vectors.log2Product)('log2 product $rows × $inner × $columns, $bits bits', (vector) => {
    const { bits, rows, inner, columns, a, b, y } = vector;
    const out = new Int32Array(rows * columns);
    log2Product(out, 0, Uint8Array.from(a), 0, Int8Array.from(b), 0, rows, inner, columns, bits);
    expect([...out]).toEqual(y);
  });

  it.each(vectors.gelu)('i-GELU at $scale', ({ scale, b, c, x, y, out, table }) => {
    const parameters = iGeluParameters(scale);
    expect([parameters.b, parameters.c]).toEqual([b, c]);
    expect(x.map((value) => iGelu(value, parameters))).toEqual(y);
    expect([...iGeluTable(scale, out)]).toEqual(table);
  });

  it.each(vectors.elementShiftGelu)('element-wise ShiftGELU, x0 $x0, n $n', ({ x0, n, y }) => {
    expect([...elementShiftGeluTable(x0, n)]).toEqual(y);
  });

  it.each(vectors.ramp)('ramp table $name', ({ name, table }) => {
    expect([...(name === 'i-bert' ? iGeluRampTable() : shiftGeluRampTable())]).toEqual(table);
  });

  it.each(vectors.sqrtLayerNorm)('LayerNorm by the exact root of $x', ({ x, bias, y }) => {
    const out: number[] = [];
    sqrtLayerNormRows(out, 0, Int16Array.from(x), 0, 1, x.length, bias);
    expect(out).toEqual(y);
  });

  it.each(vectors.powerOfTwo)('power-of-two factors $alpha', ({ alpha, m, e, z, x, y }) => {
    const out = new Int16Array(x.length);
    powerOfTwoRows(out, 0, Int16Array.from(x), 0, 2, alpha, m, e, z);
    expect([...out]).toEqual(y);
  });
});
