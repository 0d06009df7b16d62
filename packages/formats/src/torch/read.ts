import { IvitError } from '@ivit/program';
import { quoteName } from '../json/cursor.js';
import { DEFAULT_PICKLE_LIMITS } from '../pickle/bounds.js';
import { hasCycle } from '../pickle/cycles.js';
import { runPickle } from '../pickle/machine.js';
import type { PickleValue, TensorReference } from '../pickle/values.js';
import { BYTES_PER_ELEMENT } from '../safetensors/dtypes.js';
import type { TensorEntry } from '../safetensors/types.js';
import { readZip } from '../zip/read.js';
import { openArchive, type TorchArchive } from './archive.js';
import { describeForeign, isZip } from './detect.js';
import { createTorchHost } from './host.js';
import { copyStrided, countOf, isDense } from './materialize.js';
import { type FoundStateDict, findStateDict, keysOf, USUAL_KEYS } from './state-dict.js';
import type { ReadTorchOptions, TorchFile } from './types.js';

const DAMAGED = 'The file is damaged or no checkpoint: get it again and compare its sha256 with the one published.';

/** Bytes copied per byte of the file, for tensors that are no windows. */
const COPIED_RATIO = 4;

function describePickle(archive: TorchArchive, options: ReadTorchOptions, where: string): PickleValue {
  const { pickle, zip, storage } = archive;
  const limits = { ...DEFAULT_PICKLE_LIMITS, ...options.limits?.pickle };
  if (pickle.size > limits.bytes) {
    throw new IvitError('E_PICKLE_LIMIT', `the pickle has ${pickle.size} bytes, above the limit of ${limits.bytes}`, {
      where: `${where}, ${pickle.name}`,
      hint: 'No checkpoint is this large: do not trust the file.',
    });
  }
  const root = runPickle(
    zip.read(pickle),
    limits,
    (code, message, at, opcode, hint) => {
      throw new IvitError(code, message, { where: `${where}, ${pickle.name} byte ${at}, ${opcode}`, hint });
    },
    (refuse, count) => createTorchHost((key) => storage(key)?.size, refuse, count),
  );
  if (hasCycle(root)) {
    throw new IvitError('E_PICKLE_CYCLE', 'a value contains itself', {
      where: `${where}, ${pickle.name}`,
      hint: DAMAGED,
    });
  }
  return root;
}

function locateStateDict(root: PickleValue, options: ReadTorchOptions, where: string): FoundStateDict {
  const found = findStateDict(root, options.key);
  if (found !== undefined) return found;
  const wanted = options.key === undefined ? USUAL_KEYS.map(quoteName).join(', ') : quoteName(options.key);
  throw new IvitError(
    'E_TORCH_STATE_DICT',
    `there is no state dict (${wanted}, or the checkpoint itself); ${keysOf(root)}`,
    {
      where,
      hint: 'Name the key of the state dict, or save the weights alone: torch.save(model.state_dict(), FILE).',
    },
  );
}

/** Turns references into tensors; every storage that is read is checked against its CRC-32 once. */
function materialize(
  found: FoundStateDict,
  archive: TorchArchive,
  allowance: number,
  where: string,
): ReadonlyMap<string, TensorEntry> {
  const storages = new Map<string, Uint8Array>();
  let copied = 0;

  function bytesOf({ storage }: TensorReference): Uint8Array {
    const known = storages.get(storage.key);
    if (known !== undefined) return known;
    const entry = archive.storage(storage.key);
    if (entry === undefined) throw new RangeError(`data/${storage.key} is gone`);
    const bytes = archive.zip.read(entry);
    storages.set(storage.key, bytes);
    return bytes;
  }

  function copy(name: string, reference: TensorReference, storage: Uint8Array, size: number): Uint8Array {
    copied += size;
    if (copied <= allowance) return copyStrided(reference, storage);
    throw new IvitError('E_TORCH_LIMIT', `strided tensors need more than ${allowance} bytes of copies`, {
      where: `${where}, tensor ${quoteName(name)}`,
      hint: 'In Python, call .contiguous() on the tensors before saving.',
    });
  }

  const tensors = new Map<string, TensorEntry>();
  for (const [name, reference] of found.tensors) {
    const { shape, offset } = reference;
    const { dtype, key } = reference.storage;
    const width = BYTES_PER_ELEMENT[dtype];
    const size = countOf(reference) * width;
    const storage = bytesOf(reference);
    const start = storage.byteOffset + offset * width;
    const bytes = isDense(reference)
      ? new Uint8Array(storage.buffer, start, size)
      : copy(name, reference, storage, size);
    const at = (archive.storage(key)?.offset ?? 0) + offset * width;
    tensors.set(name, { name, dtype, shape, bytes, offset: at });
  }
  return tensors;
}

/**
 * Reads the state dict of a checkpoint that `torch.save` wrote (a ZIP archive, torch 1.6 and later) from memory. Nothing is
 * executed: the pickle runs on a machine of fixed opcodes over inert values, with a fixed list of names. Every storage
 * is checked against the archive's CRC-32, every tensor's shape, strides and offset against its storage.
 *
 * The state dict is the value at `key`, else at `model`, `state_dict` or `model_state_dict`, else the checkpoint itself, else
 * the only dict of tensors in it. A prefix `module.` or `_orig_mod.` that all names have is taken off.
 *
 * @returns tensors whose `bytes` are windows on the given bytes where they are stored dense: do not change those while the
 * result is in use.
 * @throws IvitError `E_TORCH_…`, `E_PICKLE_…` with the byte and opcode, `E_ZIP_…` with the byte; see the README's table.
 */
export function readTorch(bytes: Uint8Array, options: ReadTorchOptions = {}): TorchFile {
  const where = options.where ?? 'checkpoint';
  if (!isZip(bytes)) {
    const { code, message, hint } = describeForeign(bytes);
    throw new IvitError(code, message, { where, hint });
  }
  const zip = readZip(bytes, { where, ...(options.limits?.zip === undefined ? {} : { limits: options.limits.zip }) });
  const archive = openArchive(zip, where);
  const root = describePickle(archive, options, where);
  const found = locateStateDict(root, options, where);
  const allowance = options.limits?.copiedBytes ?? COPIED_RATIO * bytes.length;
  return { tensors: materialize(found, archive, allowance, where), key: found.key, others: found.others };
}
