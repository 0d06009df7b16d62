import { createReferenceBackend } from '@ivit/backend-reference';
import { modelId, type ValidatedProgram } from '@ivit/program';

/** What the independent interpreter (tools/oracle/check_programs.py) is given to compare with. */
export interface TraceFile {
  /** Path of the program file, relative to the trace file. */
  readonly program: string;
  readonly model: string;
  readonly images: readonly TracedImage[];
}

export interface TracedImage {
  /** Bytes of the input value, base64. */
  readonly pixels: string;
  readonly trace: readonly { readonly value: string; readonly digest: string }[];
  readonly logits: readonly number[];
}

/** Runs a program on the reference backend and notes the sha256 of every value it makes. */
export async function traceProgram(
  program: ValidatedProgram,
  file: string,
  images: readonly Uint8Array[],
): Promise<TraceFile> {
  const executable = await createReferenceBackend().compile(program);
  const traced: TracedImage[] = [];
  for (const pixels of images) {
    const trace: { value: string; digest: string }[] = [];
    for await (const { value, digest } of executable.trace(pixels)) trace.push({ value, digest });
    const outputs = await executable.run(pixels, { batch: 1 });
    const logits = outputs[program.output];
    if (logits === undefined) throw new Error(`the backend returned no '${program.output}'`);
    traced.push({ pixels: Buffer.from(pixels).toString('base64'), trace, logits: [...logits.data] });
  }
  await executable.dispose();
  return { program: file, model: modelId(program), images: traced };
}
