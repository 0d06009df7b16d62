/** Tensors of a file's bytes. Uses nothing of Node. */
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

/**
 * A safetensors file, or a checkpoint of `torch.save`.
 *
 * @param where the file's name: its ending says which of the two it is
 * @throws IvitError what the readers say; E_VECTORS when a tensor that is asked for is missing
 */
export function parseTensors(bytes: Uint8Array, where: string): Tensors {
  const isCheckpoint = /\.pth(\.tar)?$/.test(where);
  const { tensors: entries } = isCheckpoint ? readTorch(bytes, { where }) : readSafetensors(bytes, { where });
  const entry = (name: string): TensorEntry => {
    const found = entries.get(name);
    if (found === undefined) throw new IvitError('E_VECTORS', `There is no tensor '${name}'`, { where });
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
