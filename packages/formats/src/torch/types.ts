import type { PickleLimits } from '../pickle/bounds.js';
import type { TensorEntry } from '../safetensors/types.js';
import type { ZipLimits } from '../zip/types.js';

export interface TorchLimits {
  readonly zip: Partial<ZipLimits>;
  readonly pickle: Partial<PickleLimits>;
  /** Bytes copied for tensors that are no dense row-major window of their storage; 4 times the file's size. */
  readonly copiedBytes: number;
}

export interface ReadTorchOptions {
  /** What to call these bytes in errors, e.g. the file's name. */
  readonly where?: string;
  /** Key of the state dict in the checkpoint; by default it is found (see {@link readTorch}). */
  readonly key?: string;
  readonly limits?: Partial<TorchLimits>;
}

/** The state dict of a checkpoint. */
export interface TorchFile {
  /** By name, in the order of the state dict. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Key under which the state dict stood; undefined where it is the whole checkpoint. */
  readonly key: string | undefined;
  /** Entries of the state dict that are no tensors: names only. */
  readonly others: readonly string[];
}
