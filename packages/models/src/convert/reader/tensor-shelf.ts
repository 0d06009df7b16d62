import { type TensorEntry, toFloat32 } from '@ivit/formats/safetensors';
import { IvitError } from '@ivit/program';
import type { FloatTensor } from '../../vit/types.js';

/** The tensors of one checkpoint, with a record of which were taken: a tensor nobody asked for is a model we do not know. */
export interface TensorShelf {
  readonly where: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly taken: Set<string>;
}

export function tensorShelf(tensors: ReadonlyMap<string, TensorEntry>, where: string): TensorShelf {
  return { where, tensors, taken: new Set() };
}

/**
 * Shape of a tensor that must exist.
 *
 * @throws IvitError `E_MODEL_MISSING_TENSOR`.
 */
export function shapeOf(shelf: TensorShelf, name: string): readonly number[] {
  const entry = shelf.tensors.get(name);
  if (entry === undefined) {
    throw new IvitError('E_MODEL_MISSING_TENSOR', `the checkpoint has no tensor ${name}`, {
      where: shelf.where,
      hint: 'Export the whole classification model, its head included.',
    });
  }
  return entry.shape;
}

/**
 * A float tensor in float32.
 *
 * @param shape What it must be; sizes multiply to the tensor's element count.
 * @throws IvitError `E_MODEL_MISSING_TENSOR`, `E_MODEL_SHAPE`, `E_MODEL_NON_FINITE`; `E_TENSOR_DTYPE` for integers.
 */
export function takeFloat(shelf: TensorShelf, name: string, shape: readonly number[]): FloatTensor {
  const found = shapeOf(shelf, name);
  if (found.length !== shape.length || found.some((size, axis) => size !== shape[axis])) {
    throw new IvitError('E_MODEL_SHAPE', `${name} is [${found.join(',')}] instead of [${shape.join(',')}]`, {
      where: shelf.where,
      hint: 'The sizes come from the patch embedding and the first block; the checkpoint is damaged or no plain ViT.',
    });
  }
  shelf.taken.add(name);
  const data = toFloat32(shelf.tensors.get(name) as TensorEntry);
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new IvitError('E_MODEL_NON_FINITE', `${name} holds ${data[bad]} at index ${bad}`, {
      where: shelf.where,
      hint: 'Training diverged or the export overflowed (fp16 ends at 65504): export the checkpoint again.',
    });
  }
  return { shape, data };
}

/**
 * @param ignorable Tensors that a classifier's logits do not depend on.
 * @throws IvitError `E_MODEL_UNSUPPORTED` naming the first tensor that nothing has read.
 */
export function requireAllTaken(shelf: TensorShelf, ignorable: (name: string) => boolean): void {
  for (const name of shelf.tensors.keys()) {
    if (shelf.taken.has(name) || ignorable(name)) continue;
    throw new IvitError('E_MODEL_UNSUPPORTED', `a plain ViT has no tensor ${name}`, {
      where: shelf.where,
      hint: 'The model does more than this reader knows; leaving the tensor out would change its answers.',
    });
  }
}
