import { quoteName } from '../json/cursor.js';
import type { PickleRefuse } from '../pickle/bounds.js';
import type { PickleHost } from '../pickle/machine.js';
import {
  isKind,
  type PickleGlobal,
  type PickleValue,
  type StorageReference,
  type TensorReference,
} from '../pickle/values.js';
import { tensorByteLength } from '../safetensors/dtypes.js';
import { roleOf, STORAGES } from './globals.js';

const DAMAGED = 'The file is damaged or no checkpoint: get it again and compare its sha256 with the one published.';

/** Dimensions of a tensor. */
const MAX_RANK = 16;

/** Bytes of the archive's file `data/KEY`, or undefined where there is none. */
export type StorageSize = (key: string) => number | undefined;

/** A tuple of integers ≥ 0. */
function sizesOf(value: PickleValue | undefined, what: string, refuse: PickleRefuse): readonly number[] {
  const items = isKind(value, 'object') && value.of === 'torch Size' ? value.args[0] : value;
  if (!isKind(items, 'tuple')) return refuse('E_TORCH_TENSOR', `the ${what} is no tuple`, DAMAGED);
  if (items.items.length > MAX_RANK) {
    refuse('E_TORCH_TENSOR', `the ${what} has ${items.items.length} dimensions, more than ${MAX_RANK}`, DAMAGED);
  }
  return items.items.map((item) => {
    if (typeof item === 'number' && Number.isSafeInteger(item) && item >= 0) return item;
    const shown = typeof item === 'number' || typeof item === 'bigint' ? String(item).slice(0, 40) : 'no integer';
    return refuse('E_TORCH_TENSOR', `the ${what} holds ${shown}`, DAMAGED);
  });
}

/** A view whose every element lies in the storage, and which is no larger than the storage. */
function makeTensor(args: readonly PickleValue[], name: string, refuse: PickleRefuse): TensorReference {
  const [storage, offset, size, stride] = args;
  if (!isKind(storage, 'storage')) return refuse('E_TORCH_TENSOR', `${name} has no storage`, DAMAGED);
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) {
    return refuse('E_TORCH_TENSOR', `the offset of ${name} is no integer from 0 on`, DAMAGED);
  }
  const shape = sizesOf(size, `shape of ${name}`, refuse);
  const strides = sizesOf(stride, `stride of ${name}`, refuse);
  if (shape.length !== strides.length) {
    refuse('E_TORCH_TENSOR', `${name} has ${shape.length} dimensions and ${strides.length} strides`, DAMAGED);
  }
  const place = `storage ${storage.key} of ${storage.length} elements`;
  const shown = `${name} [${shape.join(', ')}] with strides [${strides.join(', ')}] from ${offset}`;
  const empty = shape.includes(0);
  // Sums and products of safe integers that pass 2^53 round to something still above every storage.
  const last = shape.reduce((sum, n, axis) => sum + (n - 1) * (strides[axis] as number), offset);
  const count = shape.reduce((product, n) => product * n, 1);
  if (empty ? offset > storage.length : last >= storage.length) {
    refuse('E_TORCH_TENSOR', `${shown} leaves its ${place}`, DAMAGED);
  }
  if (!empty && count > storage.length) {
    const hint = 'In Python, call .contiguous() on expanded tensors before saving.';
    refuse('E_TORCH_TENSOR', `${shown} has more elements than its ${place}`, hint);
  }
  return { kind: 'tensor', storage, offset, shape, strides };
}

/** `('storage', class, key, location, length)`. */
function makeStorage(
  id: PickleValue,
  known: Map<string, StorageReference>,
  sizeOf: StorageSize,
  refuse: PickleRefuse,
): StorageReference {
  const [tag, type, key, location, length] = isKind(id, 'tuple') && id.items.length === 5 ? id.items : [];
  if (tag !== 'storage' || typeof location !== 'string' || !isKind(type, 'global')) {
    return refuse('E_TORCH_STORAGE', 'a persistent id is none of a storage', DAMAGED);
  }
  const dtype = STORAGES.get(type.name);
  if (dtype === undefined) return refuse('E_TORCH_STORAGE', `${type.name} is no class of storages`, DAMAGED);
  if (typeof key !== 'string' || !/^\d{1,9}$/.test(key)) {
    return refuse('E_TORCH_STORAGE', 'the key of a storage is no number', DAMAGED);
  }
  if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0) {
    return refuse('E_TORCH_STORAGE', `the length of storage ${key} is no integer from 0 on`, DAMAGED);
  }
  const before = known.get(key);
  if (before !== undefined) {
    if (before.dtype === dtype && before.length === length) return before;
    refuse('E_TORCH_STORAGE', `storage ${key} is described twice, as different things`, DAMAGED);
  }
  const size = sizeOf(key) ?? refuse('E_TORCH_STORAGE', `the archive has no file data/${key}`, DAMAGED);
  const wanted = tensorByteLength(dtype, [length]);
  if (size !== wanted) {
    const message = `storage ${key} has ${length} elements of ${dtype}, but data/${key} has ${size} bytes`;
    refuse('E_TORCH_STORAGE', message, DAMAGED);
  }
  const storage: StorageReference = { kind: 'storage', key, dtype, length };
  known.set(key, storage);
  return storage;
}

/** `OrderedDict()` or `OrderedDict([(key, value), …])`: only the empty form is written by `torch.save`. */
function makeDict(args: readonly PickleValue[], refuse: PickleRefuse): PickleValue {
  if (args.length > 0) refuse('E_TORCH_VALUE', 'an OrderedDict is made from something', DAMAGED);
  return { kind: 'dict', entries: new Map() };
}

/** What torch's names mean to the pickle machine: descriptions of tensors, and inert data for the rest. */
export function createTorchHost(sizeOf: StorageSize, refuse: PickleRefuse, count: () => void): PickleHost {
  const storages = new Map<string, StorageReference>();
  const globals = new Map<string, PickleGlobal>();
  return {
    global: (module, name) => {
      const full = `${module} ${name}`;
      if (roleOf(full) === undefined) {
        if (module === 'torch' && name.endsWith('Storage')) {
          const hint = 'float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8 and bool are read.';
          refuse('E_TORCH_DTYPE', `tensors in a ${quoteName(name)} are not read`, hint);
        }
        return undefined;
      }
      const known = globals.get(full) ?? { kind: 'global', name: full };
      globals.set(full, known);
      return known;
    },
    reduce: (callable, args, key) => {
      count();
      const name = key === undefined ? 'the tensor' : `tensor ${quoteName(key)}`;
      switch (roleOf(callable.name)) {
        case 'tensor':
          return makeTensor(args, name, refuse);
        case 'parameter':
          return isKind(args[0], 'tensor') ? args[0] : refuse('E_TORCH_TENSOR', `${name} is no tensor`, DAMAGED);
        case 'dict':
          return makeDict(args, refuse);
        case 'object':
          return { kind: 'object', of: callable.name, args, state: undefined };
        default:
          return refuse('E_TORCH_VALUE', `${callable.name} is called`, DAMAGED);
      }
    },
    persistent: (id) => makeStorage(id, storages, sizeOf, refuse),
  };
}
