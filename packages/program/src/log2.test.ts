import { describe, expect, it } from 'vitest';
import {
  createProgramBuilder,
  opVersion,
  type Program,
  printProgram,
  type SoftmaxOp,
  specOf,
  validate,
} from './index.js';

const refused = (code: string) => expect.objectContaining({ code });

/** Tokens × tokens logits, codes, values: `y = Σ b·2^(15 - code)`. */
function attention(tokens: number, change: Partial<SoftmaxOp> = {}): Program {
  const b = createProgramBuilder('pixels', [tokens, tokens]);
  b.add({ op: 'requantize', result: 'x', x: { value: 'pixels' }, m: 7, e: 0, z: 0, axis: 0, run: 0, to: 'i16' });
  b.add({ op: 'softmax', result: 'codes', x: { value: 'x' }, exponential: { pow2: 8 }, bits: 8, log2: 4, ...change });
  const v = b.constant('v', 'i8', [tokens, 3], new Int8Array(3 * tokens).fill(-128));
  b.add({ op: 'matmul', result: 'y', a: { value: 'codes' }, b: { constant: v }, log2: 4 });
  return b.build({ output: 'y' });
}

describe('log2 softmax and matmul', () => {
  it('are version 2 and make a program ivit/1.1', () => {
    const program = attention(5);
    expect(program.spec).toBe('ivit/1.1');
    expect(program.ops.map(opVersion)).toEqual([1, 2, 2]);
    expect(specOf(program.ops.slice(0, 1))).toBe('ivit/1');
    expect(program.values['codes']).toEqual({ dtype: 'u8', shape: [5, 5] });
    expect(printProgram(program)).toContain('codes: u8[5,5] = softmax(x, pow2=8, log2=4)');
    expect(printProgram(program)).toContain('y: i32[5,3] = matmul(codes, $v, log2=4)');
    expect(() => validate({ ...program, spec: 'ivit/1' }, { fragment: true })).toThrowError(refused('E_PROGRAM_SPEC'));
    const old = { ...program, spec: 'ivit/1.1', ops: program.ops.slice(0, 1), output: 'x' } as const;
    const values = { pixels: { dtype: 'u8', shape: [5, 5] }, x: { dtype: 'i16', shape: [5, 5] } } as const;
    expect(() => validate({ ...old, values }, { fragment: true })).toThrowError(refused('E_PROGRAM_SPEC'));
    expect(validate({ ...old, values, spec: 'ivit/1' }, { fragment: true }).spec).toBe('ivit/1');
  });

  it('are bounded by the row sum, 1.5·2^15 + L, where the codes are a softmax', () => {
    const few = validate(attention(1), { fragment: true });
    expect(few.facts.intervals['y']).toEqual({ lo: -128 * 32768, hi: 128 * 32768 });
    const many = validate(attention(1025), { fragment: true });
    expect(many.facts.intervals['codes']).toEqual({ lo: 0, hi: 15 });
    expect(many.facts.intervals['y']).toEqual({ lo: -128 * (49152 + 1025), hi: 128 * (49152 + 1025) });
  });

  it('are refused where nothing is proved', () => {
    expect(() => attention(5, { bits: 16 })).toThrowError(refused('E_PROGRAM_PARAMETER'));
    expect(() => attention(5, { exponential: { shift: -64, n: 23 } })).toThrowError(refused('E_PROGRAM_OVERFLOW'));
    expect(() => attention(5, { log2: 3 as unknown as 4 })).toThrowError(refused('E_PROGRAM_PARAMETER'));
    const product = (rows: number, codes: Uint8Array, dtype: 'u8' | 'i8' = 'u8') => {
      const b = createProgramBuilder('pixels', [1]);
      const a = b.constant('a', dtype, [1, rows], codes);
      const v = b.constant('v', 'i8', [rows, 1], new Int8Array(rows).fill(-128));
      b.add({ op: 'matmul', result: 'y', a: { constant: a }, b: { constant: v }, log2: 4 });
      return b.interval('y');
    };
    expect(product(511, new Uint8Array(511))).toEqual({ lo: -511 * 128 * 32768, hi: 511 * 128 * 32768 });
    expect(() => product(512, new Uint8Array(512))).toThrowError(refused('E_PROGRAM_OVERFLOW'));
    expect(product(512, new Uint8Array(512).fill(3)).hi).toBe(512 * 128 * 4096);
    expect(() => product(1, Uint8Array.of(16))).toThrowError(refused('E_PROGRAM_OVERFLOW'));
    expect(() => product(1, Uint8Array.of(1), 'i8')).toThrowError(refused('E_PROGRAM_DTYPE'));
  });
});
