import { IvitError } from '@ivit/program';
import { type Limits, type Walked, walkModule } from './walk.js';

export interface WasmReport {
  readonly functions: number;
  readonly opcodes: number;
  readonly types: number;
  /** Everything looked at: opcodes, value types, imports and exports. */
  readonly checked: number;
  readonly problems: readonly string[];
}

export interface Expected {
  /** `kind name`, sorted. */
  readonly exports: readonly string[];
  readonly shared: boolean;
  /** Functions that may be imported from `env`, beside its memory. */
  readonly functions?: readonly string[];
  /** Relaxed operations that may occur: those whose operands are kept where all machines agree. */
  readonly relaxed?: readonly string[];
}

const FLOAT = /f(32|64)/;

/** Opcodes that read, make, change or convert floats; and those whose bits may differ between machines. */
function refusedOpcode(name: string, { relaxed = [] }: Expected): string | undefined {
  if (FLOAT.test(name)) return 'is a floating-point operation';
  if (name.includes('relaxed') && !relaxed.includes(name)) return 'may differ between machines';
  return undefined;
}

function limitsProblem({ most, shared }: Limits, expected: Expected): string | undefined {
  if (most === undefined) return 'has no maximum';
  if (shared !== expected.shared) return `is ${shared ? '' : 'not '}shared`;
  return undefined;
}

function importProblems({ imports }: Walked, expected: Expected): string[] {
  const problems: string[] = [];
  const { functions = [] } = expected;
  for (const { module, name, kind, memory } of imports) {
    const what = `import ${kind} ${module}.${name}`;
    if (module === 'env' && kind === 'function' && functions.includes(name)) continue;
    if (memory === undefined || module !== 'env' || name !== 'memory') problems.push(`${what} is not expected`);
    else {
      const problem = limitsProblem(memory, expected);
      if (problem !== undefined) problems.push(`${what} ${problem}`);
    }
  }
  const wanted = 1 + functions.length;
  if (imports.length !== wanted) problems.push(`${imports.length} imports instead of ${wanted}`);
  return problems;
}

/**
 * Proves of a module's bytes that nothing in it can hold or make a float: no opcode, no value type. It imports one memory
 * and exports what is expected. A module that cannot be read to the last byte is not proved.
 */
export function checkModule(bytes: Uint8Array, expected: Expected): WasmReport {
  let walked: Walked;
  try {
    walked = walkModule(bytes);
  } catch (error) {
    if (!IvitError.isInstance(error)) throw error;
    return { functions: 0, opcodes: 0, types: 0, checked: 1, problems: [error.message] };
  }
  const { opcodes, types, imports, exports, functions } = walked;
  const problems = importProblems(walked, expected);
  for (const [at, name] of opcodes) {
    const problem = refusedOpcode(name, expected);
    if (problem !== undefined) problems.push(`byte ${at}: ${name} ${problem}`);
  }
  for (const [at, type] of types) if (FLOAT.test(type)) problems.push(`byte ${at}: a value of type ${type}`);
  const found = [...exports].sort();
  if (found.join() !== expected.exports.join()) {
    problems.push(`exports are ${found.join(', ')} instead of ${expected.exports.join(', ')}`);
  }
  const checked = opcodes.length + types.length + imports.length + exports.length;
  return { functions, opcodes: opcodes.length, types: types.length, checked, problems };
}

/** What the CPU backend's main module has beside its memory. */
export const MAIN = {
  exports: ['function fillRampMap', 'function packPanel', 'function run', 'memory memory'],
  functions: ['relaxedLinear', 'relaxedPack'],
} as const;

/** What its module of relaxed SIMD has. The backend probes the one operation that may differ between machines. */
export const RELAXED = {
  exports: ['function packPanel', 'function relaxedLinear', 'function relaxedPack', 'memory memory'],
  relaxed: ['i32x4.relaxed_dot_i8x16_i7x16_add_s'],
} as const;

type Builds = (kind: 'shared' | 'unshared') => Uint8Array;

function checkPair(bytesOf: Builds, expected: Omit<Expected, 'shared'>): readonly WasmReport[] {
  const [unshared, shared] = [bytesOf('unshared'), bytesOf('shared')];
  const unequal = unshared.reduce((count, byte, at) => count + (byte === shared[at] ? 0 : 1), 0);
  const oneFlag = unshared.length === shared.length && unequal === 1;
  const pair: WasmReport = {
    functions: 0,
    opcodes: 0,
    types: 0,
    checked: 1,
    problems: oneFlag ? [] : [`the builds differ in ${unequal} bytes instead of one`],
  };
  return [
    checkModule(unshared, { ...expected, shared: false }),
    checkModule(shared, { ...expected, shared: true }),
    pair,
  ];
}

/** The two builds of the CPU backend's main module. They must be one module but for the flag of its memory. */
export function checkKernels(kernelBytes: Builds): readonly WasmReport[] {
  return checkPair(kernelBytes, MAIN);
}

/** The same of its module of relaxed SIMD. */
export function checkRelaxedKernels(relaxedKernelBytes: Builds): readonly WasmReport[] {
  return checkPair(relaxedKernelBytes, RELAXED);
}
