import type { Backend, CompileOptions, Executable, Outputs } from '@ivit/backend';
import type { Op, ValidatedProgram } from '@ivit/program';
import { createMyBackend } from './my-backend.js';

/** The good backend with its executables replaced. */
function wrap(
  change: (executable: Executable, program: ValidatedProgram, options: CompileOptions) => Partial<Executable>,
  base: () => Backend = createMyBackend,
): () => Backend {
  return () => {
    const backend = base();
    return {
      ...backend,
      compile: async (program, options = {}) => {
        const executable = await backend.compile(program, options);
        return { ...executable, ...change(executable, program, options) };
      },
    };
  };
}

function addOne(outputs: Outputs, value: string, index: number): Outputs {
  const data = outputs[value]?.data;
  if (data !== undefined) data[index] = (data[index] as number) + 1;
  return outputs;
}

const uses = (program: ValidatedProgram, op: Op['op']): boolean => program.ops.some((one) => one.op === op);

interface Broken {
  readonly what: string;
  readonly create: () => Backend;
  /** Tests to run. */
  readonly chosen: RegExp;
  /** One that must fail, and what it must say. */
  readonly fails: RegExp;
  readonly says: readonly RegExp[];
}

/** Backends with one fault each. */
export const BROKEN: readonly Broken[] = [
  {
    what: 'one wrong value in one op',
    create: wrap((executable, program) => ({
      run: async (pixels, options) => {
        const outputs = await executable.run(pixels, options);
        return uses(program, 'linear') ? addOne(outputs, program.output, 1) : outputs;
      },
    })),
    chosen: /^linear > linear: sizes/,
    fails: /^linear > linear: sizes/,
    says: [
      /linear 'lin\d+' of linear linear-\d+ \(every value kept\)/,
      /image 0, index \[0,1\] \(element 1 of \d+\): expected (-?\d+), got -?\d+/,
      /catches: a remainder of rows, columns or products/,
    ],
  },
  {
    what: 'a fused output that differs from the kept one',
    create: wrap((executable, program, options) => ({
      run: async (pixels, runOptions) => {
        const outputs = await executable.run(pixels, runOptions);
        return options.outputs === undefined ? addOne(outputs, program.output, 0) : outputs;
      },
    })),
    chosen: /^random chains of ops > chains 0 to 9/,
    fails: /^random chains of ops > chains 0 to 9/,
    says: [/10 of 10 differ/, /requantize '\w+' of chain random-0 \(output alone\): image 0, index \[0,0\]/],
  },
  {
    what: 'images of a batch mixed',
    create: wrap((executable) => ({
      run: async (pixels, options) => {
        const size = pixels.length / options.batch;
        const mixed = new Uint8Array(pixels.length);
        for (let image = 0; image < options.batch; image++) mixed.set(pixels.subarray(0, size), image * size);
        return executable.run(mixed, options);
      },
    })),
    chosen: /^run > gives the same bits for 1, 2, 3 and 5|^softmax > softmax: shift/,
    fails: /^run > gives the same bits for 1, 2, 3 and 5/,
    says: [/behavior subject \(images 0 to 4\): image 1, index \[.*\] .*: expected -?\d+, got -?\d+/],
  },
  {
    what: 'a probe that throws',
    create: () => ({
      ...createMyBackend(),
      probe: async () => {
        throw new Error('no adapter');
      },
    }),
    chosen: /^manifest/,
    fails: /^manifest > probes without throwing, and something can run/,
    says: [/no adapter/],
  },
  {
    what: 'a probe of the wrong shape',
    create: () => ({
      ...createMyBackend(),
      probe: async () => ({ available: true, device: '', threads: 0, features: [] }),
    }),
    chosen: /^manifest/,
    fails: /^manifest > probes without throwing, and something can run/,
    says: [/device is no name/],
  },
  {
    what: 'runs after dispose',
    create: wrap(() => ({ dispose: async () => undefined })),
    chosen: /^dispose|^trace/,
    fails: /^dispose > makes later runs E_DISPOSED/,
    says: [/run after dispose: expected E_DISPOSED, got no error/],
  },
  {
    what: 'the first answer for ever',
    create: wrap((executable) => {
      let first: Promise<Outputs> | undefined;
      return {
        run: (pixels, options) => {
          first ??= executable.run(pixels, options);
          return first;
        },
      };
    }),
    chosen: /^run > gives the same bits every time/,
    fails: /^run > gives the same bits every time/,
    says: [/behavior subject \(a repeated run\)/, /expected -?\d+, got -?\d+/],
  },
  {
    what: 'one buffer for every answer',
    create: wrap((executable) => {
      let kept: Outputs | undefined;
      return {
        run: async (pixels, options) => {
          const outputs = await executable.run(pixels, options);
          if (kept === undefined) kept = outputs;
          for (const [name, { data }] of Object.entries(outputs))
            kept[name]?.data.set(data.subarray(0, kept[name].data.length));
          return kept;
        },
      };
    }),
    chosen: /^run > returns data/,
    fails: /^run > returns data that later runs leave alone/,
    says: [/looked at after a later run/],
  },
  {
    what: 'no values but the output',
    create: () => {
      const backend = createMyBackend();
      return {
        ...backend,
        compile: (program, { outputs: _, ...options } = {}) => backend.compile(program, options),
      };
    },
    chosen: /^outputs|^gather/,
    fails: /^outputs > are the named values and the output/,
    says: [/outputs \[\w+\]: expected \w+,\w+, got \w+/],
  },
  {
    what: 'an undeclared op that is compiled all the same',
    create: () => ({ ...createMyBackend(), ops: { linear: [1], requantize: [1], lookup: [1] } }),
    chosen: /^softmax > softmax: shift/,
    fails: /^softmax/,
    says: [/compile of softmax softmax-1, which uses an undeclared op: expected E_UNSUPPORTED_OP, got no error/],
  },
  {
    what: 'a version that is not declared, but compiled all the same',
    create: () => {
      const backend = createMyBackend();
      return { ...backend, ops: { ...backend.ops, softmax: [1], matmul: [1] } };
    },
    chosen: /^softmax@2 > softmax@2: forms/,
    fails: /^softmax@2/,
    says: [/compile of softmax@2 softmax@2-1, which uses an undeclared op: expected E_UNSUPPORTED_OP, got no error/],
  },
  {
    what: 'a version that does not exist',
    create: () => {
      const backend = createMyBackend();
      return { ...backend, ops: { ...backend.ops, softmax: [1, 2, 3] } };
    },
    chosen: /^manifest/,
    fails: /^manifest > declares ops that this kit can prove/,
    says: [/ops.softmax: this kit has no vectors of version 3/],
  },
  {
    what: 'an op that does not exist',
    create: () => ({ ...createMyBackend(), ops: { linear: [1], convolve: [1] } }),
    chosen: /^manifest/,
    fails: /^manifest > declares ops that this kit can prove/,
    says: [/there is no op 'convolve' in ivit\/1/],
  },
  {
    what: 'a version that nothing proves',
    create: () => ({ ...createMyBackend(), ops: { linear: [1, 2] } }),
    chosen: /^manifest/,
    fails: /^manifest > declares ops that this kit can prove/,
    says: [/ops\.linear: this kit has no vectors of version 2/],
  },
  {
    what: 'errors without a code',
    create: wrap((executable) => ({
      run: (pixels, options) =>
        executable.run(pixels, options).catch((error: Error) => {
          throw new Error(error.message);
        }),
    })),
    chosen: /^run > refuses wrong input/,
    fails: /^run > refuses wrong input/,
    says: [/run with one byte too few: expected E_INPUT, got no code 'wrong pixels\.'/],
  },
  {
    what: 'a deaf ear for aborts',
    create: wrap((executable) => ({ run: (pixels, { batch }) => executable.run(pixels, { batch }) })),
    chosen: /^abort|^run > goes on/,
    fails: /^abort > of a run before it starts/,
    says: [/run with an aborted signal: expected E_ABORTED, got no error/],
  },
  {
    what: 'no memory limit',
    create: () => {
      const backend = createMyBackend();
      return {
        ...backend,
        compile: (program, { memoryLimit: _, ...options } = {}) => backend.compile(program, options),
      };
    },
    chosen: /^compile > honors memoryLimit/,
    fails: /^compile > honors memoryLimit/,
    says: [/compile with memoryLimit 1: expected E_MEMORY, got no error/],
  },
  {
    what: 'last in, first out',
    create: wrap((executable) => {
      let calls = 0;
      return {
        run: async (pixels, options) => {
          const outputs = await executable.run(pixels, options);
          calls += 1;
          await new Promise((resolve) => setTimeout(resolve, Math.max(0, 40 - 10 * calls)));
          return outputs;
        },
      };
    }),
    chosen: /^run > queues/,
    fails: /^run > queues/,
    says: [/expected the calls to end in the order 0,1,2,3/],
  },
  {
    what: 'pixels used as scratch',
    create: wrap((executable) => ({
      run: async (pixels, options) => {
        const outputs = await executable.run(pixels, options);
        pixels.fill(0);
        return outputs;
      },
    })),
    chosen: /^run > returns data/,
    fails: /^run > returns data/,
    says: [/run changed the pixels/],
  },
  {
    what: 'a trace with one wrong digest',
    create: wrap((executable, program) => ({
      trace: async function* (pixels) {
        for await (const { value, digest } of executable.trace(pixels)) {
          yield { value, digest: value === program.output ? digest.replaceAll('a', 'b') : digest };
        }
      },
    })),
    chosen: /^trace|^models/,
    fails: /^trace > has the sha256 of every value/,
    says: [/trace of behavior subject: requantize '\w+', image 0: expected sha256 [0-9a-f]{64}, got [0-9a-f]{64}/],
  },
  {
    what: 'a trace out of order and one that leaves out what was asked for',
    create: wrap((executable) => ({
      trace: async function* (pixels) {
        const entries: { value: string; digest: string }[] = [];
        for await (const entry of executable.trace(pixels)) entries.unshift(entry);
        yield* entries;
      },
    })),
    chosen: /^trace/,
    fails: /^trace > has the sha256 of every value/,
    says: [/out of op order/],
  },
  {
    what: 'a false name in info',
    create: wrap((executable) => ({ info: { ...executable.info, backend: 'other' } })),
    chosen: /^compile > says/,
    fails: /^compile > says what it made/,
    says: [/info\.backend: expected 'mine', got 'other'/],
  },
  {
    what: 'the wrong shape and class of an output',
    create: wrap((executable, program) => ({
      run: async (pixels, options) => {
        const outputs = await executable.run(pixels, options);
        const tensor = outputs[program.output];
        return tensor === undefined
          ? outputs
          : { ...outputs, [program.output]: { ...tensor, shape: tensor.shape.slice(1) } };
      },
    })),
    chosen: /^mean > mean: axes/,
    fails: /^mean/,
    says: [/mean 'mea\d+' of mean mean-1 .*: expected shape \[2,4,5\], got \[4,5\]/],
  },
  {
    what: 'one instance for all',
    create: (() => {
      const shared = createMyBackend();
      return () => shared;
    })(),
    chosen: /^manifest/,
    fails: /^manifest > declares the same on every instance/,
    says: [/create gave the same backend twice/],
  },
];
