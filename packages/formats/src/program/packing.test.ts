import { modelId, type Program } from '@ivit/program';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refusal } from '../../test/raw-file.js';
import { sampleProgram } from '../../test/sample-program.js';
import { readSafetensors } from '../safetensors/read.js';
import { writeSafetensors } from '../safetensors/write.js';
import { packedShape, packRows, unpackRows } from './packing.js';
import { PROGRAM_KEY, readProgram } from './read.js';
import { writeProgram } from './write.js';

/** The rows' bits one by one, from the definition. */
function packedBits(data: readonly number[], columns: number, bits: number): number[] {
  const bytes: number[] = [];
  for (let row = 0; row < data.length; row += columns) {
    const string = data.slice(row, row + columns).flatMap((entry) => {
      const low = ((entry % 2 ** bits) + 2 ** bits) % 2 ** bits;
      return Array.from({ length: bits }, (_, i) => Math.floor(low / 2 ** i) % 2);
    });
    for (let at = 0; at < string.length; at += 8) {
      bytes.push(string.slice(at, at + 8).reduce((byte, bit, i) => byte + bit * 2 ** i, 0));
    }
  }
  return bytes;
}

function fails(action: () => unknown, code: string, message: string): void {
  expect(refusal(action)).toMatchObject({ code, problem: expect.stringContaining(message) });
}

function withConstant(shape: readonly number[], data: Int8Array, bits?: number): Program {
  const sample = sampleProgram();
  const packed = { dtype: 'i8', shape, data, ...(bits === undefined ? {} : { bits }) } as const;
  return { ...sample, constants: { ...sample.constants, packed } };
}

describe('packed constants', () => {
  it('are the bits of the definition, and come back', () => {
    const matrix = fc.integer({ min: 2, max: 7 }).chain((bits) => {
      const entry = fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
      return fc.tuple(fc.constant(bits), fc.integer({ min: 1, max: 20 }), fc.array(entry, { maxLength: 80 }));
    });
    fc.assert(
      fc.property(matrix, ([bits, columns, entries]) => {
        const data = Int8Array.from(entries.slice(0, entries.length - (entries.length % columns)));
        const bytes = packRows(data, columns, bits);
        if (typeof bytes === 'number') throw new Error(`entry ${bytes} does not fit`);
        expect([...bytes]).toEqual(packedBits([...data], columns, bits));
        expect(bytes.length).toBe((data.length / columns) * (packedShape([columns], bits)[0] as number));
        expect(unpackRows(bytes, columns, bits)).toEqual(data);
      }),
      { numRuns: 1000 },
    );
  });

  it('leave the model id alone, and the file reads and writes itself', () => {
    const data = Int8Array.from({ length: 3 * 13 }, (_, i) => (i % 16) - 8);
    const plain = withConstant([3, 13], data);
    const program = withConstant([3, 13], data, 4);
    expect(modelId(program)).toBe(modelId(plain));
    const file = writeProgram(program);
    const stored = readSafetensors(file).tensors.get('packed');
    expect([stored?.dtype, stored?.shape]).toEqual(['U8', [3, 7]]);
    const back = readProgram(file);
    expect(back.constants['packed']).toEqual(program.constants['packed']);
    expect(modelId(back)).toBe(modelId(plain));
    expect(writeProgram(back)).toEqual(file);
    expect(stored?.bytes.length).toBe(21);
  });

  it('are refused with a code where something is wrong', () => {
    const data = Int8Array.of(-8, 7, 3);
    fails(() => writeProgram(withConstant([3], Int8Array.of(0, 8, 0), 4)), 'E_PROGRAM_CONSTANT', 'entry 1 is 8');
    for (const bits of [0, 1, 8, 2.5, -4]) {
      expect(() => writeProgram(withConstant([3], data, bits))).toThrowError(/constants\.packed\.bits/);
    }
    const wide = {
      ...sampleProgram(),
      constants: { bias: { dtype: 'i32', shape: [1], data: Int32Array.of(1), bits: 4 } },
    } as const;
    fails(() => writeProgram(wide), 'E_PROGRAM_PARAMETER', 'only int8');
    fails(() => writeProgram(withConstant([], Int8Array.of(1), 4)), 'E_PROGRAM_PARAMETER', 'rank 1');
    const file = readSafetensors(writeProgram(withConstant([3], data, 4)));
    const changed = (change: (bytes: Uint8Array) => Uint8Array, shape = [2]): Uint8Array => {
      const tensors = [...file.tensors.values()].map((tensor) =>
        tensor.name === 'packed' ? { ...tensor, shape, bytes: change(tensor.bytes.slice()) } : tensor,
      );
      return writeSafetensors(tensors, { [PROGRAM_KEY]: file.metadata[PROGRAM_KEY] ?? '' });
    };
    expect(readProgram(changed((bytes) => bytes)).constants['packed']?.data).toEqual(data);
    const dirty = changed((bytes) => Uint8Array.of(bytes[0] as number, (bytes[1] as number) | 16));
    fails(() => readProgram(dirty), 'E_PROGRAM_CONSTANT', 'fill up');
    const long = changed((bytes) => Uint8Array.of(...bytes, 0), [3]);
    fails(() => readProgram(long), 'E_PROGRAM_CONSTANT', 'declares U8 [2]');
  });
});
