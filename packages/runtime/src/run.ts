import type { Executable, Outputs, OutputTensor } from '@ivit/backend';
import { IvitError, littleEndianBytes, type Op, type ValidatedProgram } from '@ivit/program';
import { sha256Hex } from './digest.js';
import type { Receipt } from './types.js';

/** The value that an op reads first. */
function firstOperand(op: Op | undefined): string | undefined {
  const operand = op === undefined || !('x' in op) ? undefined : op.x;
  return operand !== undefined && 'value' in operand ? operand.value : undefined;
}

/**
 * The value that the classifier reads: behind the output, what the last `linear` has as x, before `rowquantize` where
 * there is one. Undefined if the output does not come from a `linear`.
 */
function embeddingOf(program: ValidatedProgram): string | undefined {
  const makers = new Map(program.ops.map((op) => [op.result, op]));
  let op = makers.get(program.output);
  while (op !== undefined && op.op !== 'linear') op = makers.get(firstOperand(op) ?? '');
  const features = firstOperand(op);
  const quantizer = makers.get(features ?? '');
  return quantizer?.op === 'rowquantize' ? firstOperand(quantizer) : features;
}

function resolveValue(program: ValidatedProgram, name: string): string | undefined {
  if (Object.hasOwn(program.values, name)) return name;
  if (name === 'logits') return program.output;
  return name === 'embedding' ? embeddingOf(program) : undefined;
}

/** Asked-for name → value name; see `RunInputsOptions.outputs` for the two names that are not values. */
export function resolveOutputs(program: ValidatedProgram, names: readonly string[]): ReadonlyMap<string, string> {
  const resolved = new Map<string, string>();
  for (const name of names) {
    const value = resolveValue(program, name);
    if (value === undefined) {
      const known = Object.keys(program.values);
      throw new IvitError('E_INPUT', `The program has no value "${name}"`, {
        where: 'option outputs',
        hint: `It has ${known.length}, the last ones: ${known.slice(-12).join(', ')}.`,
      });
    }
    resolved.set(name, value);
  }
  return resolved;
}

/** One image's share of a batched tensor, copied. */
function imageOf(tensor: OutputTensor, image: number): OutputTensor {
  const shape = tensor.shape.slice(1);
  const size = shape.reduce((product, length) => product * length, 1);
  return { dtype: tensor.dtype, shape, data: tensor.data.slice(image * size, (image + 1) * size) };
}

export interface ImageRun {
  readonly outputs: Readonly<Record<string, OutputTensor>>;
  readonly pixels: Uint8Array;
  readonly logits: Int32Array;
}

/** Who computed what from what: made only where it is asked for, since it hashes the whole model once. */
export function receiptOf(program: ValidatedProgram, model: string, { pixels, logits }: ImageRun): Receipt {
  return { spec: program.spec, model, pixels: sha256Hex(pixels), output: sha256Hex(littleEndianBytes(logits)) };
}

/** Runs prepared pixels as one batch and splits the result by image. */
export async function runBatch(
  program: ValidatedProgram,
  executable: Executable,
  images: readonly Uint8Array[],
  names: ReadonlyMap<string, string>,
  signal: AbortSignal | undefined,
): Promise<ImageRun[]> {
  const size = images[0]?.length ?? 0;
  const pixels = new Uint8Array(size * images.length);
  for (const [index, image] of images.entries()) pixels.set(image, index * size);
  const tensors: Outputs = await executable.run(pixels, {
    batch: images.length,
    ...(signal === undefined ? {} : { signal }),
  });
  return images.map((image, index) => {
    const pick = (value: string): OutputTensor => {
      const tensor = tensors[value];
      if (tensor === undefined) throw new IvitError('E_BACKEND', 'The backend left out a value', { where: value });
      return imageOf(tensor, index);
    };
    const logits = pick(program.output).data;
    if (!(logits instanceof Int32Array)) {
      throw new IvitError('E_BACKEND', 'The backend returned no int32 logits', { where: program.output });
    }
    return {
      outputs: Object.fromEntries(Array.from(names, ([name, value]) => [name, pick(value)])),
      pixels: image,
      logits,
    };
  });
}
