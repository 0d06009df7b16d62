import type { Backend, Outputs } from '@ivit/backend';
import { createProgramBuilder, IvitError, type ProgramBuilder, validate } from '@ivit/program';

/** u8 input of a stage: the stage's int16 tensors one after the other, two bytes an entry. */
const STAGE_INPUT = 'bytes';

/** One int16 tensor that a stage starts from, under the name it has in the whole program. */
export interface StageTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A part of the model, run by itself on int16 tensors of an earlier part. */
export interface Stage {
  readonly inputs: readonly StageTensor[];
  /** Appends the stage's ops to a builder that holds the inputs as i16 values. */
  readonly build: (builder: ProgramBuilder) => void;
  /** Values to return. */
  readonly outputs: readonly string[];
}

/** Lets timers and abort events run between photos. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** @throws IvitError `E_ABORTED` */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new IvitError('E_ABORTED', 'quantization was aborted', {
    cause: signal.reason,
    hint: 'Run it again with the same cache to go on after the last finished block.',
  });
}

/** Bytes of int16 tensors as a stage takes them: entry + 32768, little endian. */
export function packInt16(tensors: readonly Int16Array[]): Uint8Array {
  const bytes = new Uint8Array(2 * tensors.reduce((sum, tensor) => sum + tensor.length, 0));
  let at = 0;
  for (const tensor of tensors) {
    for (let i = 0; i < tensor.length; i += 1, at += 2) {
      const entry = (tensor[i] as number) + 32768;
      bytes[at] = entry & 255;
      bytes[at + 1] = entry >> 8;
    }
  }
  return bytes;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Reassembles an int16 tensor from its bytes, exactly: low·1 + high·256 - 32768 by one `requantize`.
 *
 * @param start bytes before the tensor.
 */
function addInt16(builder: ProgramBuilder, tensor: StageTensor, start: number): void {
  const strides: number[] = [];
  let stride = 2;
  for (let axis = tensor.shape.length - 1; axis >= 0; axis -= 1) {
    strides.unshift(stride);
    stride *= tensor.shape[axis] as number;
  }
  const bytesFrom = (offset: number) => ({ value: STAGE_INPUT, view: { offset, shape: tensor.shape, strides } });
  builder.add({
    op: 'requantize',
    result: tensor.name,
    x: bytesFrom(start),
    m: 1,
    e: 0,
    z: -32768,
    axis: 0,
    run: 0,
    to: 'i16',
    addend: { operand: bytesFrom(start + 1), m: 256, e: 0 },
  });
}

/** How a caller drives stages over the calibration photos. */
export interface StageRunner {
  readonly backend: Backend;
  readonly signal?: AbortSignal | undefined;
  /** Called after each photo. */
  advance(): void;
}

/** Compiles a stage and runs it on every photo's tensors, in order. */
export async function runStage(
  runner: StageRunner,
  stage: Stage,
  photos: number,
  inputsOf: (photo: number) => readonly Int16Array[],
  use: (photo: number, outputs: Outputs) => void,
): Promise<void> {
  const total = stage.inputs.reduce((sum, tensor) => sum + 2 * sizeOf(tensor.shape), 0);
  const builder = createProgramBuilder(STAGE_INPUT, [total]);
  let start = 0;
  for (const tensor of stage.inputs) {
    addInt16(builder, tensor, start);
    start += 2 * sizeOf(tensor.shape);
  }
  stage.build(builder);
  await runProgram(runner, builder, stage.outputs, photos, (photo) => packInt16(inputsOf(photo)), use);
}

/** Runs what a builder holds, as a fragment of a model, on each photo's input bytes. */
export async function runProgram(
  runner: StageRunner,
  builder: ProgramBuilder,
  outputs: readonly string[],
  photos: number,
  bytesOf: (photo: number) => Uint8Array,
  use: (photo: number, outputs: Outputs) => void,
): Promise<void> {
  const { backend, signal } = runner;
  const abort = signal === undefined ? {} : { signal };
  checkAborted(signal);
  const program = validate(builder.build({ output: outputs[0] ?? '' }), { fragment: true });
  const executable = await backend.compile(program, { maxBatch: 1, outputs, ...abort });
  try {
    for (let photo = 0; photo < photos; photo += 1) {
      checkAborted(signal);
      use(photo, await executable.run(bytesOf(photo), { batch: 1, ...abort }));
      runner.advance();
      await breathe();
    }
  } finally {
    await executable.dispose();
  }
}

/** An output as int16, copied. */
export function int16Output(outputs: Outputs, name: string): Int16Array {
  const { data } = outputOf(outputs, name);
  if (!(data instanceof Int16Array)) throw missing(name);
  return data.slice();
}

/** An output's integers, not copied. */
export function outputOf(outputs: Outputs, name: string): Outputs[string] {
  const output = outputs[name];
  if (output === undefined) throw missing(name);
  return output;
}

function missing(name: string): IvitError {
  return new IvitError('E_BACKEND', `the backend did not return '${name}' as asked`, {
    hint: 'The backend breaks its contract: run the conformance kit on it.',
  });
}
