import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { crc32, deflateRawSync } from 'node:zlib';
import { readSafetensors, toFloat32, toIntegers } from '@ivit/formats/safetensors';
import { readTorch } from '@ivit/formats/torch';
import { describe, expect, it } from 'vitest';
import { bytesOf, checkpoint, dictPickle, op, tensorPickle, zipOf } from '../../test/torch-writer.js';

const SHARED = fileURLToPath(new URL('../../../../../shared/', import.meta.url));

function floats(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** A checkpoint with one float32 tensor over six elements. */
function one(offset: number, shape: readonly number[], strides: readonly number[]): Uint8Array {
  const pickle = dictPickle({ w: tensorPickle('FloatStorage', '0', 6, offset, shape, strides) });
  return checkpoint(pickle, { 0: floats(0, 1, 2, 3, 4, 5) });
}

function values(file: Uint8Array): number[] {
  const entry = readTorch(file).tensors.get('w');
  return entry === undefined ? [] : [...toFloat32(entry)];
}

describe.skipIf(!existsSync(SHARED))('checkpoints of the original code (5 tests)', () => {
  const folder = `${SHARED}vectors/ivit/`;
  it.each([
    ['tiny_vit/checkpoint.pth.tar', undefined, 'tiny_vit', 110],
    ['tiny_vit/checkpoint_resume_style.pth.tar', 'model', 'tiny_vit', 110],
    ['tiny_swin/checkpoint.pth.tar', undefined, 'tiny_swin', 224],
  ] as const)('%s holds the tensors of the safetensors file beside it', (path, key, model, count) => {
    const file = readTorch(readFileSync(folder + path), { where: path });
    const { tensors } = readSafetensors(readFileSync(`${folder}${model}/state_dict.safetensors`));
    expect([file.key, file.others, file.tensors.size, tensors.size]).toEqual([key, [], count, count]);
    for (const [name, entry] of tensors) {
      const found = file.tensors.get(name);
      expect(found?.dtype, name).toBe(entry.dtype);
      expect(found === undefined || Buffer.compare(found.bytes, entry.bytes) === 0, name).toBe(true);
      // That file has scalars as one element.
      expect(found?.shape.length === 0 ? [1] : found?.shape, name).toEqual(entry.shape);
    }
  });

  it.each([
    ['tiny_vit_digits/checkpoint.pth.tar', 110],
    ['tiny_vit_digits/float_checkpoint_deit_style.pth', 32],
  ] as const)('%s', (path, count) => {
    expect(readTorch(readFileSync(folder + path)).tensors.size).toBe(count);
  });
});

describe('readTorch', () => {
  it('reads dense tensors as windows, and copies strided ones', () => {
    expect(values(one(0, [2, 3], [3, 1]))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(values(one(2, [1, 2], [99, 1]))).toEqual([2, 3]);
    expect(values(one(0, [3, 2], [1, 3]))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(values(one(1, [3], [2]))).toEqual([1, 3, 5]);
    expect(values(one(4, [4], [0]))).toEqual([4, 4, 4, 4]);
    expect(values(one(5, [], []))).toEqual([5]);
    expect(values(one(6, [0, 9], [9, 1]))).toEqual([]);
  });

  it.each([
    ['DoubleStorage', 'F64', 8],
    ['FloatStorage', 'F32', 4],
    ['HalfStorage', 'F16', 2],
    ['BFloat16Storage', 'BF16', 2],
    ['LongStorage', 'I64', 8],
    ['IntStorage', 'I32', 4],
    ['ShortStorage', 'I16', 2],
    ['CharStorage', 'I8', 1],
    ['ByteStorage', 'U8', 1],
    ['BoolStorage', 'BOOL', 1],
  ] as const)('%s is %s', (type, dtype, width) => {
    const bytes = Uint8Array.from({ length: 2 * width }, (_, at) => at % 2);
    const file = checkpoint(dictPickle({ w: tensorPickle(type, '7', 2, 0, [2], [1]) }), { 7: bytes });
    const entry = readTorch(file).tensors.get('w');
    expect([entry?.dtype, entry?.shape]).toEqual([dtype, [2]]);
    expect([...(entry?.bytes ?? [])]).toEqual([...bytes]);
  });

  it('says where a tensor stands in the file', () => {
    const file = one(2, [2], [1]);
    const entry = readTorch(file).tensors.get('w');
    expect([...file.subarray(entry?.offset, (entry?.offset ?? 0) + 8)]).toEqual([...floats(2, 3)]);
  });

  it('reads an archive that another tool has deflated', () => {
    const content = floats(...new Array<number>(64).fill(1));
    const pickle = bytesOf(op.proto, dictPickle({ w: tensorPickle('FloatStorage', '0', 64, 0, [64], [1]) }), op.stop);
    const packed = (name: string, bytes: Uint8Array) => {
      return { name, bytes: new Uint8Array(deflateRawSync(bytes)), method: 8, size: bytes.length, crc: crc32(bytes) };
    };
    const file = zipOf([packed('x/data.pkl', pickle), packed('x/data/0', content)]);
    expect(values(file)).toEqual(new Array<number>(64).fill(1));
  });

  it('finds the state dict where training scripts put it, and takes off wrappers', () => {
    const storages = { 0: floats(1), 1: floats(2) };
    const a = tensorPickle('FloatStorage', '0', 1, 0, [1], [1]);
    const b = tensorPickle('FloatStorage', '1', 1, 0, [1], [1]);
    const nested = dictPickle({ epoch: op.int(3), ema: dictPickle({ w: b }), model: dictPickle({ 'module.w': a }) });
    const file = checkpoint(nested, storages);
    expect(readTorch(file)).toMatchObject({ key: 'model', others: [] });
    expect([...readTorch(file).tensors.keys()]).toEqual(['w']);
    const chosen = readTorch(file, { key: 'ema' }).tensors.get('w');
    expect(chosen === undefined ? [] : [...toFloat32(chosen)]).toEqual([2]);
    expect(readTorch(checkpoint(dictPickle({ net: dictPickle({ w: a }) }), storages)).key).toBe('net');
    expect(readTorch(checkpoint(dictPickle({ w: a, steps: op.int(9) }), storages))).toMatchObject({
      key: undefined,
      others: ['steps'],
    });
  });

  it('keeps integers exact', () => {
    const bytes = new Uint8Array(BigInt64Array.of(-5n, 2n ** 53n - 1n).buffer);
    const file = checkpoint(dictPickle({ w: tensorPickle('LongStorage', '0', 2, 0, [2], [1]) }), { 0: bytes });
    const entry = readTorch(file).tensors.get('w');
    expect(entry === undefined ? [] : [...toIntegers(entry)]).toEqual([-5, 2 ** 53 - 1]);
  });
});
