import { readFileSync } from 'node:fs';
import { readSafetensors, type TensorEntry, toFloat64, toIntegers } from '@ivit/formats/safetensors';
import { readTorch } from '@ivit/formats/torch';
import { IvitError } from '@ivit/program';

/** Tensors of one file by name. */
export interface Tensors {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  has(name: string): boolean;
  shape(name: string): readonly number[];
  /** Integers of any width, or floats, exactly. */
  numbers(name: string): ArrayLike<number>;
  bytes(name: string): Uint8Array;
}

/** A safetensors file, or a checkpoint of `torch.save`. */
export function readTensors(path: string): Tensors {
  const bytes = readFileSync(path);
  const isCheckpoint = /\.pth(\.tar)?$/.test(path);
  const { tensors } = isCheckpoint ? readTorch(bytes, { where: path }) : readSafetensors(bytes, { where: path });
  return tensorsOf(tensors, path);
}

/** @throws IvitError E_VECTORS when a tensor is missing */
function tensorsOf(entries: ReadonlyMap<string, TensorEntry>, path: string): Tensors {
  const entry = (name: string): TensorEntry => {
    const found = entries.get(name);
    if (found === undefined) throw new IvitError('E_VECTORS', `There is no tensor '${name}'`, { where: path });
    return found;
  };
  return {
    entries,
    has: (name) => entries.has(name),
    shape: (name) => entry(name).shape,
    numbers: (name) => {
      const tensor = entry(name);
      return /^B?F/.test(tensor.dtype) ? toFloat64(tensor) : toIntegers(tensor);
    },
    bytes: (name) => entry(name).bytes,
  };
}
