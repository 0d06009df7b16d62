import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A tensor of a vector file; every dtype used there is exact in a JS number. */
export interface VectorTensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export interface VectorCase {
  readonly id: string;
  readonly attrs: Readonly<Record<string, number>>;
  readonly tensor: (name: string) => VectorTensor;
  readonly has: (name: string) => boolean;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const WIDTH: Readonly<Record<string, number>> = {
  I8: 1,
  U8: 1,
  I16: 2,
  U16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  F64: 8,
};

function element(bytes: DataView, dtype: string, at: number): number {
  if (dtype === 'I8') return bytes.getInt8(at);
  if (dtype === 'U8') return bytes.getUint8(at);
  if (dtype === 'I16') return bytes.getInt16(at, true);
  if (dtype === 'U16') return bytes.getUint16(at, true);
  if (dtype === 'I32') return bytes.getInt32(at, true);
  if (dtype === 'U32') return bytes.getUint32(at, true);
  if (dtype === 'F32') return bytes.getFloat32(at, true);
  if (dtype === 'F64') return bytes.getFloat64(at, true);
  if (dtype === 'I64') return Number(bytes.getBigInt64(at, true));
  throw new Error(`dtype ${dtype}`);
}

function readSafetensors(path: string): Map<string, VectorTensor> {
  const file = readFileSync(path);
  const bytes = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = 8 + Number(bytes.getBigUint64(0, true));
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<string, Entry>;
  const tensors = new Map<string, VectorTensor>();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const width = WIDTH[dtype] ?? 0;
    const data: number[] = [];
    for (let at = offsets[0]; at < offsets[1]; at += width) data.push(element(bytes, dtype, start + at));
    tensors.set(name, { shape, data });
  }
  return tensors;
}

/** The committed cases of one op, from the original PyTorch code run in exact integers (vectors/ivit/README.md). */
export function readCases(op: string): VectorCase[] {
  const folder = fileURLToPath(new URL('../../../vectors/ivit/ops/', import.meta.url));
  const tensors = readSafetensors(`${folder}${op}.safetensors`);
  const { cases } = JSON.parse(readFileSync(`${folder}${op}.json`, 'utf8')) as {
    cases: { id: string; attrs: Record<string, number> }[];
  };
  return cases.map(({ id, attrs }) => ({
    id,
    attrs,
    has: (name) => tensors.has(`${id}/${name}`),
    tensor: (name) => {
      const found = tensors.get(`${id}/${name}`);
      if (found === undefined) throw new Error(`${op} has no tensor ${id}/${name}`);
      return found;
    },
  }));
}

/** Compares all integers; the message names the first that differs. Returns how many were compared. */
export function expectEqual(label: string, got: ArrayLike<number>, want: readonly number[]): number {
  if (got.length !== want.length) throw new Error(`${label}: ${got.length} integers, ${want.length} expected`);
  for (let i = 0; i < want.length; i++) {
    if (got[i] !== want[i]) throw new Error(`${label}: integer ${i} is ${got[i]}, expected ${want[i]}`);
  }
  return want.length;
}
