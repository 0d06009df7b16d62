import { deflateRawSync } from 'node:zlib';
import { readTorch } from '@ivit/formats/torch';
import { describe, expect, it } from 'vitest';
import { refusal } from '../../test/raw-file.js';
import {
  bytesOf,
  checkpoint,
  dictPickle,
  op,
  type Part,
  tensorPickle,
  u32,
  type ZipFile,
  zipOf,
} from '../../test/torch-writer.js';

const STORAGE = { 0: new Uint8Array(24) };

function tensor(offset: number, shape: readonly number[], strides: readonly number[], length = 6): Uint8Array {
  return dictPickle({ w: tensorPickle('FloatStorage', '0', length, offset, shape, strides) });
}

/** The refusal of a pickle (without PROTO and STOP), which must come at once. */
function refuse(pickle: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = STORAGE) {
  const file = checkpoint(pickle, storages);
  const started = performance.now();
  const error = refusal(() => readTorch(file, { where: 'bad.pth' }));
  expect(performance.now() - started).toBeLessThan(3000);
  expect(error.where).toContain('bad.pth');
  return error;
}

function repeated(count: number, ...parts: readonly Part[]): Uint8Array {
  const piece = bytesOf(...parts);
  const all = new Uint8Array(count * piece.length);
  for (let at = 0; at < count; at += 1) all.set(piece, at * piece.length);
  return all;
}

describe('pickles that want to run something', () => {
  it.each([
    ['os', 'system'],
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['builtins', 'getattr'],
    ['subprocess', 'Popen'],
    ['torch', 'load'],
    ['torch.hub', 'load'],
    ['__main__', 'Model'],
  ])('REDUCE on %s.%s', (module, name) => {
    const error = refuse(bytesOf(op.global(module, name), op.text('id'), op.tuple1, op.reduce));
    expect(error.code).toBe('E_PICKLE_GLOBAL');
    expect(error.message).toContain(`"${module}.${name}"`);
    expect(error.where).toContain('data.pkl byte 2, GLOBAL');
  });

  it.each([
    ['STACK_GLOBAL', bytesOf(op.text('os'), op.text('system'), 0x93), 'E_PICKLE_GLOBAL'],
    ['a name that continues behind a newline', bytesOf('ctorch\nFloatStorage\nos\nsystem\n'), 'E_PICKLE_OPCODE'],
    ['a module with a carriage return', bytesOf('cos\r\nsystem\r\n'), 'E_PICKLE_TEXT'],
    ['a module of two lines in STACK_GLOBAL', bytesOf(op.text('torch\nos'), op.text('Size'), 0x93), 'E_PICKLE_GLOBAL'],
    ['a name without end', bytesOf('c', repeated(1000, 'x')), 'E_PICKLE_LIMIT'],
    ['a reserved name', bytesOf(op.global('__proto__', 'constructor')), 'E_PICKLE_GLOBAL'],
    ['INST', bytesOf(op.mark, 'ios\nsystem\n'), 'E_PICKLE_OPCODE'],
    ['OBJ', bytesOf(op.mark, op.global('torch', 'Size'), 'o'), 'E_PICKLE_OPCODE'],
    ['EXT1', bytesOf(0x82, 1), 'E_PICKLE_OPCODE'],
    [
      'a call of a storage class',
      bytesOf(op.global('torch', 'FloatStorage'), op.emptyTuple, op.reduce),
      'E_TORCH_VALUE',
    ],
    ['a call of a string', bytesOf(op.text('os'), op.emptyTuple, op.reduce), 'E_PICKLE_STACK'],
    ['complex tensors', bytesOf(op.global('torch', 'ComplexFloatStorage')), 'E_TORCH_DTYPE'],
  ])('%s', (_, pickle, code) => {
    expect(refuse(pickle).code).toBe(code);
  });
});

describe('pickles that want to exhaust', () => {
  it.each([
    ['a list in itself', bytesOf(op.list, op.put(0), op.get(0), 'a'), 'E_PICKLE_CYCLE'],
    [
      'a loop over two dicts',
      bytesOf(op.dict, op.put(0), op.text('a'), op.dict, op.text('b'), op.get(0), op.setItem, op.setItem),
      'E_PICKLE_CYCLE',
    ],
    ['a memo entry that is not there', bytesOf(op.get(9)), 'E_PICKLE_MEMO'],
    ['marks without end', repeated(2_000_000, op.mark), 'E_PICKLE_LIMIT'],
    ['dicts without end', repeated(2_000_000, op.dict), 'E_PICKLE_LIMIT'],
    ['values without end', repeated(5_000_000, op.none), 'E_PICKLE_LIMIT'],
    ['a tower of tuples', bytesOf(op.emptyTuple, repeated(1_500_000, op.tuple1)), 'E_PICKLE_LIMIT'],
    [
      'a billion laughs',
      bytesOf(op.emptyTuple, ...Array.from({ length: 60 }, (_, at) => bytesOf(op.put(at), op.get(at), 0x86))),
      'E_TORCH_STATE_DICT',
    ],
    ['a pickle of 33 MiB', repeated(33 * 2 ** 20, op.none), 'E_PICKLE_LIMIT'],
    ['LONG4 of 2 GB', bytesOf(0x8b, u32(2 ** 31 - 1)), 'E_PICKLE_OPCODE'],
    ['LONG1 cut short', bytesOf(0x8a, 255), 'E_PICKLE_TRUNCATED'],
    ['a text of 4 GB', bytesOf('X', u32(2 ** 32 - 1)), 'E_PICKLE_TRUNCATED'],
    ['a key of 5 kB', bytesOf(op.dict, op.text('k'.repeat(5000)), op.none, op.setItem), 'E_PICKLE_KEY'],
    ['a key twice', dictPickle({ w: bytesOf(op.none, op.text('w'), op.none) }), 'E_PICKLE_DUPLICATE'],
    ['a dict as key', bytesOf(op.dict, op.dict, op.none, op.setItem), 'E_PICKLE_KEY'],
  ])('%s', (_, pickle, code) => {
    expect(refuse(pickle).code).toBe(code);
  });
});

describe('tensors that are not what they claim', () => {
  it.each([
    ['10^9 elements', tensor(0, [1_000_000_000], [1]), 'E_TORCH_TENSOR'],
    ['10^9 elements by stride 0', tensor(0, [1_000_000_000], [0]), 'E_TORCH_TENSOR'],
    [
      '10^90 elements by stride 0',
      tensor(0, new Array<number>(10).fill(1_000_000_000), new Array<number>(10).fill(0)),
      'E_TORCH_TENSOR',
    ],
    ['10^9 elements in a storage that claims them', tensor(0, [1_000_000_000], [1], 1_000_000_000), 'E_TORCH_STORAGE'],
    ['a negative size', tensor(0, [-1], [1]), 'E_TORCH_TENSOR'],
    ['a negative stride', tensor(5, [6], [-1]), 'E_TORCH_TENSOR'],
    ['a negative offset', tensor(-1, [2], [1]), 'E_TORCH_TENSOR'],
    ['an offset behind the storage', tensor(6, [1], [1]), 'E_TORCH_TENSOR'],
    ['a last element behind the storage', tensor(0, [2, 2], [5, 1]), 'E_TORCH_TENSOR'],
    ['more sizes than strides', tensor(0, [2, 3], [1]), 'E_TORCH_TENSOR'],
    ['17 dimensions', tensor(0, new Array<number>(17).fill(1), new Array<number>(17).fill(1)), 'E_TORCH_TENSOR'],
    [
      'a storage that is not there',
      dictPickle({ w: tensorPickle('FloatStorage', '1', 6, 0, [6], [1]) }),
      'E_TORCH_STORAGE',
    ],
    ['a storage elsewhere', dictPickle({ w: tensorPickle('FloatStorage', '../0', 6, 0, [6], [1]) }), 'E_TORCH_STORAGE'],
    [
      'a storage of another width',
      dictPickle({ w: tensorPickle('HalfStorage', '0', 6, 0, [6], [1]) }),
      'E_TORCH_STORAGE',
    ],
  ])('%s', (_, pickle, code) => {
    const error = refuse(pickle);
    expect(error.code).toBe(code);
    expect(error.where).toMatch(/data\.pkl byte \d+, (REDUCE|BINPERSID)/);
  });

  it('names the tensor', () => {
    expect(refuse(tensor(0, [7], [1])).message).toContain(
      'tensor "w" [7] with strides [1] from 0 leaves its storage 0',
    );
  });

  it('that only copies would make dense, a thousand times', () => {
    const many = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => [
        `t${at}`,
        tensorPickle('FloatStorage', '0', 10_000, 0, [100, 100], [1, 100]),
      ]),
    );
    const file = checkpoint(dictPickle(many), { 0: new Uint8Array(40_000) });
    expect(refusal(() => readTorch(file)).code).toBe('E_TORCH_LIMIT');
  });
});

describe('archives', () => {
  const pickle = { name: 'x/data.pkl', bytes: bytesOf(op.proto, tensor(0, [6], [1]), op.stop) };
  const data = { name: 'x/data/0', bytes: new Uint8Array(24) };
  const bomb = new Uint8Array(deflateRawSync(new Uint8Array(50_000_000)));

  it('are read where nothing is wrong', () => {
    expect(readTorch(zipOf([pickle, data])).tensors.size).toBe(1);
  });

  it.each<[string, readonly ZipFile[], string]>([
    [
      'overlapping files',
      [pickle, data, { ...data, name: 'x/data/1', header: 30 + 10 + pickle.bytes.length }],
      'E_ZIP_MISMATCH',
    ],
    [
      'one file under two names',
      [pickle, data, { ...data, name: 'x/data/1', localName: 'x/data/0', header: 0 }],
      'E_ZIP_MISMATCH',
    ],
    [
      'a header inside another file',
      [{ name: 'a', bytes: zipOf([data]) }, pickle, { ...data, header: 31 }],
      'E_ZIP_OVERLAP',
    ],
    ['a file twice', [pickle, data, data], 'E_ZIP_DUPLICATE'],
    ['a climbing name', [pickle, data, { ...data, name: 'x/../../etc/passwd' }], 'E_ZIP_NAME'],
    ['an absolute name', [pickle, data, { ...data, name: '/etc/passwd' }], 'E_ZIP_NAME'],
    ['a drive', [pickle, data, { ...data, name: 'C:/x' }], 'E_ZIP_NAME'],
    ['a backslash', [pickle, data, { ...data, name: 'x\\..\\y' }], 'E_ZIP_NAME'],
    ['a NUL', [pickle, data, { ...data, name: 'x/data/0\u0000.txt' }], 'E_ZIP_NAME'],
    ['another name in the local header', [pickle, { ...data, localName: 'x/data/9' }], 'E_ZIP_MISMATCH'],
    ['a wrong CRC', [pickle, { ...data, crc: 1 }], 'E_ZIP_CRC'],
    ['an encrypted file', [pickle, { ...data, flags: 1 }], 'E_ZIP_UNSUPPORTED'],
    ['another method', [pickle, { ...data, method: 12 }], 'E_ZIP_UNSUPPORTED'],
    ['a stored file of another size', [pickle, { ...data, size: 25 }], 'E_ZIP_FORMAT'],
    ['a bomb as pickle', [{ name: 'x/data.pkl', bytes: bomb, method: 8, size: 50_000_000 }, data], 'E_PICKLE_LIMIT'],
    ['a bomb that hides its size', [pickle, { ...data, bytes: bomb, method: 8, size: 24 }], 'E_ZIP_DEFLATE'],
    [
      'a bomb beyond the allowance',
      [
        { ...pickle, bytes: bytesOf(op.proto, tensor(0, [125_000_000], [1], 125_000_000), op.stop) },
        { ...data, bytes: bomb, method: 8, size: 500_000_000 },
      ],
      'E_ZIP_LIMIT',
    ],
    ['no deflate', [{ ...pickle, method: 8 }, data], 'E_ZIP_DEFLATE'],
    ['two pickles', [pickle, data, { ...pickle, name: 'y/data.pkl' }], 'E_TORCH_ARCHIVE'],
    ['no pickle', [data], 'E_TORCH_ARCHIVE'],
    ['TorchScript', [pickle, data, { ...data, name: 'x/constants.pkl' }], 'E_TORCH_SCRIPT'],
    ['big-endian', [pickle, data, { name: 'x/byteorder', bytes: bytesOf('big') }], 'E_TORCH_BYTE_ORDER'],
    ['an odd version', [pickle, data, { name: 'x/version', bytes: bytesOf('x') }], 'E_TORCH_VERSION'],
  ])('%s', (_, files, code) => {
    const file = zipOf(files);
    const started = performance.now();
    expect(refusal(() => readTorch(file)).code).toBe(code);
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it('cut short anywhere', () => {
    const file = zipOf([pickle, data]);
    for (let length = 4; length < file.length; length += 1) {
      expect(refusal(() => readTorch(file.subarray(0, length))).code).toMatch(/^E_ZIP_/);
    }
  });
});

describe('files of other kinds', () => {
  const tar = new Uint8Array(1024);
  tar.set(bytesOf('ustar'), 257);
  it.each([
    [
      'the format before torch 1.6',
      bytesOf([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19], '.'),
      'E_TORCH_LEGACY',
    ],
    ['a bare pickle', bytesOf(op.proto, op.dict, op.stop), 'E_TORCH_LEGACY'],
    ['a tar', tar, 'E_TORCH_TAR'],
    ['gzip', bytesOf([0x1f, 0x8b, 8]), 'E_TORCH_COMPRESSED'],
    ['a web page', bytesOf('<!doctype html>'), 'E_TORCH_FORMAT'],
    ['nothing', new Uint8Array(0), 'E_TORCH_FORMAT'],
  ])('%s', (_, bytes, code) => {
    const error = refusal(() => readTorch(bytes));
    expect(error.code).toBe(code);
    expect(error.hint).toMatch(/\w/);
  });

  it('a checkpoint without a state dict, naming its keys', () => {
    const error = refuse(dictPickle({ epoch: op.int(3), best: op.int(4) }));
    expect([error.code, error.message]).toEqual(['E_TORCH_STATE_DICT', expect.stringContaining('epoch, best')]);
  });
});
