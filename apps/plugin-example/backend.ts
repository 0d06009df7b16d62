/**
 * A backend as anyone may write one: four ops of thirteen, in plain loops. It imports the contract's types and nothing else;
 * `backend.test.ts` proves it with the conformance suite.
 */
import type { Backend, CompileOptions, Executable, Outputs, OutputTensor } from '@ivit/backend';

type Program = Parameters<Backend['compile']>[0];
type Op = Program['ops'][number];
type Operand = Extract<Op, { op: 'linear' }>['x'];

const ARRAYS = { u8: Uint8Array, i8: Int8Array, i16: Int16Array, i32: Int32Array };

/** Declared means: every bit of the spec, for every input. requantize has a row-dynamic form too, so it is not here. */
const OPS = { linear: [1], lookup: [1], gather: [1], concat: [1] };

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** The codes are the contract's; the brand lets others recognize the error. */
function refuse(code: string, message: string): never {
  throw Object.assign(new Error(message), { code, [Symbol.for('ivit.error')]: true });
}

/** The elements of a view, in its order; strides may be 0 or negative. */
function see(whole: OutputTensor, view: Operand['view']): OutputTensor {
  if (view === undefined) return whole;
  const data = new ARRAYS[whole.dtype](count(view.shape));
  let at = 0;
  const walk = (axis: number, from: number): void => {
    if (axis === view.shape.length) data[at++] = whole.data[from] ?? 0;
    else for (let i = 0; i < (view.shape[axis] ?? 0); i++) walk(axis + 1, from + i * (view.strides[axis] ?? 0));
  };
  walk(0, view.offset);
  return { dtype: whole.dtype, shape: view.shape, data };
}

/** Writes an op's result. Its sums stay below 2^31: the validator proved it. */
function evaluate(op: Op, read: (operand: Operand) => OutputTensor, out: OutputTensor): void {
  const constant = (name: string): OutputTensor => read({ constant: name });
  const last = out.shape.at(-1) ?? 1;
  if (op.op === 'linear') {
    const { data, shape } = read(op.x);
    const [inputs, w, b] = [shape.at(-1) ?? 1, constant(op.w).data, op.b === undefined ? [] : constant(op.b).data];
    for (let at = 0; at < out.data.length; at++) {
      const [row, n] = [Math.floor(at / last) * inputs, at % last];
      let sum = b[n] ?? 0;
      for (let k = 0; k < inputs; k++) sum += (data[row + k] ?? 0) * (w[n * inputs + k] ?? 0);
      out.data[at] = sum;
    }
  } else if (op.op === 'lookup') {
    const { data, dtype } = read(op.x);
    const table = constant(op.table);
    const [channels, first] = [table.shape.length === 2 ? last : 1, dtype === 'u8' ? 0 : 128];
    for (const [at, v] of data.entries()) out.data[at] = table.data[(at % channels) * 256 + v + first] ?? 0;
  } else if (op.op === 'gather') {
    const { data } = read(op.x);
    for (const [i, row] of constant(op.rows).data.entries()) {
      out.data.set(data.subarray(row * op.width, (row + 1) * op.width), i * op.width);
    }
  } else if (op.op === 'concat') {
    let at = 0;
    for (const { data } of op.operands.map(read)) {
      out.data.set(data, at);
      at += data.length;
    }
  }
}

/** Every value of one image. */
function interpret(program: Program, pixels: Uint8Array): Map<string, OutputTensor> {
  const values = new Map<string, OutputTensor>();
  const read = (operand: Operand): OutputTensor => {
    const whole = 'value' in operand ? values.get(operand.value) : program.constants[operand.constant];
    return see(whole ?? refuse('E_INPUT', 'An operand that nothing makes'), operand.view);
  };
  for (const name of [program.input, ...program.ops.map(({ result }) => result)]) {
    const { dtype, shape } = program.values[name] ?? refuse('E_INPUT', `There is no value '${name}'`);
    values.set(name, { dtype, shape, data: name === program.input ? pixels : new ARRAYS[dtype](count(shape)) });
  }
  for (const op of program.ops) evaluate(op, read, read({ value: op.result }));
  return values;
}

function createExecutable(program: Program, options: CompileOptions): Executable {
  const { maxBatch = 1, memoryLimit = Number.POSITIVE_INFINITY, outputs = [] } = options;
  const foreign = program.ops.find((op) => !Object.hasOwn(OPS, op.op) || 'log2' in op); // of version 2
  if (foreign !== undefined) refuse('E_UNSUPPORTED_OP', `This backend has no op '${foreign.op}'`);
  if (options.signal?.aborted) refuse('E_ABORTED', 'The compilation was aborted');
  if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) refuse('E_INPUT', `maxBatch is ${maxBatch}`);
  const names = [...new Set([...outputs, program.output])];
  const unknown = names.find((name) => !Object.hasOwn(program.values, name));
  if (unknown !== undefined) refuse('E_INPUT', `The program has no value '${unknown}'`);
  const bytes = program.facts.constantBytes + program.facts.valueBytes;
  if (bytes > memoryLimit) refuse('E_MEMORY', `${bytes} bytes are more than ${memoryLimit}`);

  const size = count(program.values[program.input]?.shape ?? []);
  let disposed = false;
  let queue: Promise<unknown> = Promise.resolve();
  const admit = (pixels: Uint8Array, batch: number): void => {
    if (disposed) refuse('E_DISPOSED', 'The executable was disposed');
    if (!Number.isSafeInteger(batch) || batch < 1 || batch > maxBatch) refuse('E_INPUT', `The batch is ${batch}`);
    if (pixels.length !== batch * size) refuse('E_INPUT', `${pixels.length} bytes are not ${batch} image(s)`);
  };
  const runNow = (pixels: Uint8Array, batch: number, signal: AbortSignal | undefined): Outputs => {
    const result: Record<string, OutputTensor> = {};
    for (let image = 0; image < batch; image++) {
      if (signal?.aborted) refuse('E_ABORTED', 'The run was aborted');
      const values = interpret(program, pixels.subarray(image * size, (image + 1) * size));
      for (const name of names) {
        const { dtype, shape, data } = values.get(name) ?? refuse('E_INPUT', `There is no value '${name}'`);
        result[name] ??= { dtype, shape: [batch, ...shape], data: new ARRAYS[dtype](batch * data.length) };
        result[name].data.set(data, image * data.length);
      }
    }
    return result;
  };
  return {
    info: { backend: 'example', variant: 'loops', threads: 1, bytes },
    run: async (pixels, { batch, signal }) => {
      admit(pixels, batch);
      const turn = queue.then(() => runNow(pixels, batch, signal));
      queue = turn.catch(() => undefined);
      return turn;
    },
    trace: async function* (pixels) {
      admit(pixels, 1);
      const values = interpret(program, pixels);
      for (const { result } of program.ops) {
        // The bytes are little endian because the machine is.
        const bytes = new Uint8Array(values.get(result)?.data.slice().buffer ?? []);
        const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
        yield { value: result, digest: Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('') };
      }
    },
    dispose: async () => {
      disposed = true;
      await queue;
    },
  };
}

export function createExampleBackend(): Backend {
  return {
    specificationVersion: 1,
    name: 'example',
    version: '1.0.0',
    ops: OPS,
    probe: async () => ({ available: true, device: 'JavaScript', threads: 1, features: [] }),
    compile: async (program, options = {}) => createExecutable(program, options),
  };
}
