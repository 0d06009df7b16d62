import type { Executable } from '@ivit/backend';
import { readProgram } from '@ivit/formats/program';
import { IvitError, modelId, throwIfAborted, type ValidatedProgram, validate } from '@ivit/program';
import { rankAnswers } from './answers.js';
import { checkIntegrity } from './integrity.js';
import { preparePixels } from './pixels.js';
import { type ImageRun, receiptOf, resolveOutputs, runBatch } from './run.js';
import { probeEarly, selectBackend } from './select-backend.js';
import type { Answer, ClassifyOptions, CreateModelOptions, ImageInput, Model, ModelInfo } from './types.js';
import { RUNTIME_VERSION } from './version.js';

/** One batch's values stay within 64 MiB (2^26 bytes), 1 … 16 images. */
function defaultBatch(program: ValidatedProgram): number {
  let batch = 1;
  while (batch < 16 && (batch + 1) * program.facts.valueBytes <= 67108864) batch += 1;
  return batch;
}

function readChecked(options: CreateModelOptions): ValidatedProgram {
  const { program, integrity } = options;
  const where = options.where ?? 'program';
  const checks = { where, ...(options.limits === undefined ? {} : { limits: options.limits }) };
  if (!(program instanceof Uint8Array)) {
    if (integrity !== undefined) {
      throw new IvitError('E_INTEGRITY', 'Integrity is checked on the bytes of a file, and a program was given', {
        where: 'option integrity',
      });
    }
    return validate(program, checks);
  }
  if (integrity !== undefined) checkIntegrity(program, integrity, where);
  return validate(readProgram(program, { where, borrow: options.borrow === true }), checks);
}

/**
 * Loads a program: checks its bytes, validates it, and compiles it on the first backend that is available and passes
 * the program's self-check (which runs once per loaded device).
 *
 * @throws E_INTEGRITY; the codes of `@ivit/formats/program` and of the validator; E_NO_BACKEND or the error of the
 *   only backend (such as E_SELF_CHECK, E_UNSUPPORTED_OP); E_ABORTED
 */
export async function createModel(options: CreateModelOptions): Promise<Model> {
  const { backends, signal, onPhase } = options;
  throwIfAborted(signal, 'Loading');
  const firstProbe = probeEarly(backends[0], signal);
  onPhase?.('read');
  const program = readChecked(options);
  const maxBatch = options.maxBatch ?? defaultBatch(program);
  if (!Number.isInteger(maxBatch) || maxBatch < 1) {
    throw new IvitError('E_INPUT', `maxBatch must be a positive integer, not ${maxBatch}`, {
      where: 'option maxBatch',
    });
  }
  const selected = await selectBackend(backends, program, {
    maxBatch,
    firstProbe,
    ...(signal === undefined ? {} : { signal }),
    ...(onPhase === undefined ? {} : { onPhase }),
  });
  const { backend, executable, device } = selected;
  // A hash over all weights: nothing on the way to the first label needs it.
  let id: string | undefined;
  const identify = (): string => {
    id ??= modelId(program);
    return id;
  };
  const info: ModelInfo = {
    spec: program.spec,
    get model() {
      return identify();
    },
    runtime: RUNTIME_VERSION,
    backend: {
      name: backend.name,
      version: backend.version,
      variant: executable.info.variant,
      threads: executable.info.threads,
      device,
    },
    selfCheck: selected.selfCheck,
    skipped: selected.skipped,
    maxBatch,
  };

  // By the sorted names of the values asked for besides the logits.
  const executables = new Map<string, Promise<Executable>>([['', Promise.resolve(executable)]]);
  let disposed = false;

  function assertOpen(): void {
    if (disposed)
      throw new IvitError('E_DISPOSED', 'The model was disposed of before the call', { hint: 'Load it again.' });
  }

  function executableFor(values: Iterable<string>): Promise<Executable> {
    const others = [...new Set(values)].filter((value) => value !== program.output).sort();
    const key = JSON.stringify(others);
    const known = executables.get(others.length === 0 ? '' : key);
    if (known !== undefined) return known;
    // No signal: the executable may serve other calls than the one that asked for it first.
    const compiling = backend.compile(program, { maxBatch, outputs: [program.output, ...others] });
    executables.set(key, compiling);
    compiling.catch(() => executables.delete(key));
    return compiling;
  }

  async function prepareAt(input: ImageInput, where: string, abort: AbortSignal | undefined): Promise<Uint8Array> {
    return preparePixels(program, input, {
      where,
      ...(abort === undefined ? {} : { signal: abort }),
      ...(options.maxPixels === undefined ? {} : { maxPixels: options.maxPixels }),
    });
  }

  /** @param finish makes of a run what the call returns, before the caller's pixels can change. */
  async function runAll<T>(
    inputs: readonly ImageInput[],
    names: readonly string[],
    abort: AbortSignal | undefined,
    finish: (run: ImageRun) => T,
  ): Promise<T[]> {
    assertOpen();
    throwIfAborted(abort);
    const resolved = resolveOutputs(program, names);
    const runner = await executableFor(resolved.values());
    const results: T[] = [];
    for (let start = 0; start < inputs.length; start += maxBatch) {
      const images: Uint8Array[] = [];
      for (const [offset, input] of inputs.slice(start, start + maxBatch).entries()) {
        images.push(await prepareAt(input, `image ${start + offset}`, abort));
      }
      assertOpen();
      throwIfAborted(abort);
      results.push(...(await runBatch(program, runner, images, resolved, abort)).map(finish));
    }
    return results;
  }

  function classify(input: ImageInput, rule?: ClassifyOptions): Promise<Answer[]>;
  function classify(inputs: readonly ImageInput[], rule?: ClassifyOptions): Promise<Answer[][]>;
  async function classify(
    input: ImageInput | readonly ImageInput[],
    rule: ClassifyOptions = {},
  ): Promise<Answer[] | Answer[][]> {
    const several = isList(input);
    const rank = ({ logits }: ImageRun): Answer[] => rankAnswers(logits, program, rule.topK);
    const answers = await runAll(several ? input : [input], [], rule.signal, rank);
    return several ? answers : (answers[0] ?? []);
  }

  return {
    program,
    info,
    classify,
    async prepare(input, { signal: abort, where = 'image' } = {}) {
      assertOpen();
      return { pixels: await prepareAt(input, where, abort) };
    },
    run(inputs, { outputs = ['logits'], signal: abort } = {}) {
      return runAll(inputs, outputs, abort, (result) => ({
        outputs: result.outputs,
        receipt: receiptOf(program, identify(), result),
        runtime: RUNTIME_VERSION,
        backend: backend.name,
        device,
      }));
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      const held = await Promise.allSettled(executables.values());
      executables.clear();
      await Promise.all(held.map((result) => (result.status === 'fulfilled' ? result.value.dispose() : undefined)));
    },
  };
}

/** `Array.isArray` that also narrows readonly arrays. */
function isList(input: ImageInput | readonly ImageInput[]): input is readonly ImageInput[] {
  return Array.isArray(input);
}
