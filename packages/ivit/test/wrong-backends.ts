import type { Backend, CompileOptions, Executable } from '@ivit/backend';
import { createReferenceBackend } from '@ivit/backend-reference';
import { type ValidatedProgram, validate } from '@ivit/program';

type Compile = (program: ValidatedProgram, options: CompileOptions) => Promise<Executable>;

function backendOf(name: string, compile: Compile): Backend {
  const reference = createReferenceBackend();
  const { specificationVersion, version, ops } = reference;
  return {
    ...{ specificationVersion, name, version, ops, probe: () => reference.probe() },
    compile: (program, options = {}) => compile(program, options),
  };
}

/** The reference under another name, with parts of its executables replaced. */
export function wrongBackend(name: string, change: (executable: Executable) => Partial<Executable>): Backend {
  return backendOf(name, async (program, options) => {
    const executable = await createReferenceBackend().compile(program, options);
    return {
      info: { ...executable.info, backend: name },
      run: (...args) => executable.run(...args),
      trace: (pixels) => executable.trace(pixels),
      dispose: () => executable.dispose(),
      ...change(executable),
    };
  });
}

/** Computes right, but with one weight that is one more: its `linear` and all that follows from it are wrong. */
export function wrongWeight(name: string, constant: string, index: number): Backend {
  return backendOf(name, ({ facts: _, ...program }, options) => {
    const tensor = program.constants[constant];
    if (tensor === undefined) throw new Error(`no constant '${constant}'`);
    const data = tensor.data.slice();
    data[index] = (data[index] ?? 0) + 1;
    const changed = validate({ ...program, constants: { ...program.constants, [constant]: { ...tensor, data } } });
    return createReferenceBackend().compile(changed, options);
  });
}

/** One that says it cannot run here. */
export function absentBackend(name: string): Backend {
  return {
    ...wrongBackend(name, () => ({})),
    probe: async () => ({ available: false, code: 'E_NO_ADAPTER', reason: 'no adapter here' }),
  };
}
