import { type TensorEntry, toFloat64, toIntegers } from '@ivit/formats/safetensors';
import { IvitError } from '@ivit/program';

/** Tensors of a checkpoint by name, with what errors call them. */
export interface PaperTensors {
  readonly where: string;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** Names of the tensors that were read. */
  readonly taken: Set<string>;
}

export function paperTensors(tensors: ReadonlyMap<string, TensorEntry>, where: string): PaperTensors {
  return { where, tensors, taken: new Set() };
}

const INT32_MAX = 2 ** 31 - 1;

function refuse(code: string, what: string, where: string): never {
  throw new IvitError(code, what, { where, hint: 'The checkpoint is damaged or made by something else.' });
}

export function hasTensor({ tensors }: PaperTensors, name: string): boolean {
  return tensors.has(name);
}

/** @throws IvitError `E_MODEL_MISSING_TENSOR` */
export function shapeOfTensor({ tensors, where }: PaperTensors, name: string): readonly number[] {
  const entry = tensors.get(name);
  if (entry === undefined) refuse('E_MODEL_MISSING_TENSOR', `the checkpoint has no tensor ${name}`, where);
  return entry.shape;
}

/**
 * All numbers of a tensor, of any dtype, row-major.
 *
 * @param count How many there must be.
 * @throws IvitError `E_MODEL_MISSING_TENSOR`, `E_MODEL_SHAPE`, `E_MODEL_NON_FINITE`.
 */
export function numbersOf(source: PaperTensors, name: string, count: number): Float64Array {
  const shape = shapeOfTensor(source, name);
  const entry = source.tensors.get(name) as TensorEntry;
  source.taken.add(name);
  const isFloat = entry.dtype === 'F32' || entry.dtype === 'F64' || entry.dtype === 'F16' || entry.dtype === 'BF16';
  const values = isFloat ? toFloat64(entry) : Float64Array.from(toIntegers(entry));
  if (values.length !== count) {
    refuse(
      'E_MODEL_SHAPE',
      `${name} is [${shape.join(',')}], which is ${values.length} numbers instead of ${count}`,
      source.where,
    );
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) refuse('E_MODEL_NON_FINITE', `${name} holds ${values[bad]} at index ${bad}`, source.where);
  return values;
}

/** Numbers that must be integers in [lo, hi]. @throws IvitError `E_MODEL_INTEGER` and those of {@link numbersOf}. */
export function integersOf(source: PaperTensors, name: string, count: number, lo: number, hi: number): Float64Array {
  const values = numbersOf(source, name, count);
  const bad = values.findIndex((value) => !Number.isInteger(value) || value < lo || value > hi);
  if (bad >= 0) {
    refuse(
      'E_MODEL_INTEGER',
      `${name} holds ${values[bad]} at index ${bad}, no integer in ${lo} … ${hi}`,
      source.where,
    );
  }
  return values;
}

/**
 * Integer weights that nothing has read belong to a model that computes more than was built.
 *
 * @throws IvitError `E_MODEL_UNSUPPORTED` naming the first of them.
 */
export function requireWeightsTaken({ tensors, taken, where }: PaperTensors): void {
  for (const name of tensors.keys()) {
    if (!/\.(weight|bias)_integer$/.test(name) || taken.has(name)) continue;
    throw new IvitError('E_MODEL_UNSUPPORTED', `the model of these sizes has no tensor ${name}`, {
      where,
      hint: 'The checkpoint holds more than this reader knows; leaving a layer out would change its answers.',
    });
  }
}

/**
 * Biases as int32 in ±(2^31 - 1). The paper's code clamps to ±2^31 in float32; an accumulator that far out belongs to a
 * dead channel, and one unit less is the largest that fits.
 */
export function biasOf(source: PaperTensors, name: string, count: number): Int32Array {
  return Int32Array.from(integersOf(source, name, count, -(2 ** 31), 2 ** 31), (value) =>
    Math.min(Math.max(value, -INT32_MAX), INT32_MAX),
  );
}

/** One positive float32 scale. @throws IvitError `E_MODEL_SCALE` and those of {@link numbersOf}. */
export function scaleOf(source: PaperTensors, name: string): number {
  const scale = Math.fround(numbersOf(source, name, 1)[0] as number);
  if (!(scale > 0)) refuse('E_MODEL_SCALE', `${name} is ${scale}; a scale is positive`, source.where);
  return scale;
}

/** Convolution kernel rows `[D,3,p,p]` in the order ky, kx, color. */
export function permutePatchKernel<Data extends Int8Array | Float32Array>(kernel: Data, area: number): Data {
  const permuted = kernel.slice() as Data;
  const rows = kernel.length / (3 * area);
  for (let row = 0; row < rows; row += 1) {
    for (let color = 0; color < 3; color += 1) {
      for (let i = 0; i < area; i += 1) {
        permuted[(row * area + i) * 3 + color] = kernel[(row * 3 + color) * area + i] as number;
      }
    }
  }
  return permuted;
}
