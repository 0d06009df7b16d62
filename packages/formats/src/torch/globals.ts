import type { SafetensorsDType } from '../safetensors/dtypes.js';

/** Storage classes of `torch`, by name: the dtype of a tensor is that of its storage. */
export const STORAGES: ReadonlyMap<string, SafetensorsDType> = new Map([
  ['torch DoubleStorage', 'F64'],
  ['torch FloatStorage', 'F32'],
  ['torch HalfStorage', 'F16'],
  ['torch BFloat16Storage', 'BF16'],
  ['torch LongStorage', 'I64'],
  ['torch IntStorage', 'I32'],
  ['torch ShortStorage', 'I16'],
  ['torch CharStorage', 'I8'],
  ['torch ByteStorage', 'U8'],
  ['torch BoolStorage', 'BOOL'],
]);

/** What a call of an allowed name describes. */
type Role = 'tensor' | 'parameter' | 'dict' | 'object';

/**
 * Every other name a checkpoint may hold. `object`: kept as inert data that nobody looks into (the arguments of a
 * training run, learning-rate schedules, numpy scalars of metrics).
 */
const NAMES: Readonly<Record<string, Role>> = {
  'torch._utils _rebuild_tensor_v2': 'tensor',
  'torch._utils _rebuild_parameter': 'parameter',
  'torch._utils _rebuild_parameter_with_state': 'parameter',
  'collections OrderedDict': 'dict',
  'collections defaultdict': 'object',
  'collections Counter': 'object',
  'argparse Namespace': 'object',
  'torch Size': 'object',
  'torch device': 'object',
  'torch.nn.parameter Parameter': 'object',
  'torch Tensor': 'object',
  'pathlib Path': 'object',
  'pathlib PosixPath': 'object',
  'pathlib PurePosixPath': 'object',
  'pathlib WindowsPath': 'object',
  'numpy.core.multiarray scalar': 'object',
  'numpy._core.multiarray scalar': 'object',
  'numpy.core.multiarray _reconstruct': 'object',
  'numpy._core.multiarray _reconstruct': 'object',
  'numpy dtype': 'object',
  'numpy ndarray': 'object',
  '_codecs encode': 'object',
  '__builtin__ set': 'object',
  'builtins set': 'object',
  '__builtin__ dict': 'object',
  'builtins dict': 'object',
  '__builtin__ list': 'object',
  'builtins list': 'object',
};

/** `torch.float32` and its like: names without a call. */
const DTYPES: ReadonlySet<string> = new Set(
  [
    'float64',
    'double',
    'float32',
    'float',
    'float16',
    'half',
    'bfloat16',
    'int64',
    'int32',
    'int16',
    'int8',
    'uint8',
    'bool',
  ].map((name) => `torch ${name}`),
);

/** What an allowed name stands for; undefined for every other name. */
export function roleOf(name: string): Role | 'storage' | 'dtype' | undefined {
  if (STORAGES.has(name)) return 'storage';
  if (DTYPES.has(name)) return 'dtype';
  return Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
}

/** The names of the list above, for its documentation. */
export const ALLOWED_GLOBALS: readonly string[] = [...Object.keys(NAMES), ...STORAGES.keys(), ...DTYPES].map((name) =>
  name.replace(' ', '.'),
);
