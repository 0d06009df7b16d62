import type { Backend, CompileOptions, Executable, ProbeResult } from '@ivit/backend';
import {
  assertMemory,
  compileRequest,
  IvitError,
  OP_VERSIONS,
  throwIfAborted,
  type ValidatedProgram,
} from '@ivit/program';
import packageJson from '../package.json';
import { createEngine, createTrial } from './engine.js';
import { CpuExecutable, type ThreadedRun } from './executable.js';
import { Lanes } from './lanes.js';
import { planProgram } from './plan/plan-program.js';
import type { ProductTrial } from './product-trial.js';
import { type Choice, type Declined, declinedRelaxed, INT16_ONLY, selectProduct } from './select.js';
import { type KernelModules, kernelBytes, type MemoryKind, relaxedKernelBytes } from './wasm-module.js';
import { createWorkerHandle, type WebWorker } from './worker-handle.js';
import { WorkerPool } from './worker-pool.js';

export interface CpuBackendOptions {
  /**
   * Threads that run a program, 1 … 64. Default: what the machine reports, at most 4; 1 where there is no SharedArrayBuffer (a
   * page without cross-origin isolation) or no worker.
   */
  readonly threads?: number;
  /**
   * The module compiled ahead of time, for hosts that refuse to compile bytes: `kernelBytes('unshared')` for one thread,
   * `kernelBytes('shared')` for more.
   */
  readonly module?: WebAssembly.Module;
  /**
   * `relaxedKernelBytes` of the same kind, compiled ahead of time, beside `module`. Without it `module` runs alone. It is used only
   * where a probe shows that it is exact on this machine and faster.
   */
  readonly relaxedModule?: WebAssembly.Module;
  /** Starts a worker with the code of `@ivit/backend-cpu/worker`, where a bundler moved that file. */
  readonly createWorker?: () => WebWorker;
}

/** Default threads are at most so many: beyond it small models wait for each other. */
const DEFAULT_MOST_THREADS = 4;
const MOST_THREADS = 64;

/** Why a program cannot run on several threads here; undefined where it can. */
function lackOfThreads(options: CpuBackendOptions): Declined | undefined {
  if (typeof SharedArrayBuffer !== 'function' || typeof Atomics !== 'object') return 'threads:no-shared-memory';
  // A page without cross-origin isolation may have the name, but cannot post one to a worker.
  if (typeof crossOriginIsolated === 'boolean' && !crossOriginIsolated && typeof process !== 'object')
    return 'threads:not-isolated';
  if (options.createWorker !== undefined || typeof Worker === 'function') return undefined;
  return typeof process === 'object' && typeof process.getBuiltinModule === 'function'
    ? undefined
    : 'threads:no-workers';
}

function reportedCores(): number {
  if (typeof navigator === 'object' && navigator !== undefined && navigator.hardwareConcurrency > 0)
    return navigator.hardwareConcurrency;
  const os = typeof process === 'object' ? process.getBuiltinModule?.('node:os') : undefined;
  return os?.availableParallelism() ?? 1;
}

/** @throws E_INPUT */
function threadCount(options: CpuBackendOptions): number {
  const { threads } = options;
  if (threads !== undefined && (!Number.isSafeInteger(threads) || threads < 1 || threads > MOST_THREADS)) {
    throw new IvitError('E_INPUT', `threads is ${threads}, not a whole number in 1…${MOST_THREADS}`, {
      where: 'option threads',
    });
  }
  if (lackOfThreads(options) !== undefined) return 1;
  return threads ?? Math.min(DEFAULT_MOST_THREADS, reportedCores());
}

/** Chooses between the kernels, given a product to try them with and a clock in milliseconds. */
export type Select = (trial: ProductTrial, now: () => number) => Choice;

interface ChosenKernels {
  readonly modules: KernelModules;
  readonly choice: Choice;
}

/** @throws E_NO_COMPILE where the engine or the page's policy refuses to compile */
async function compileBytes(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  return WebAssembly.compile(bytes).catch((cause: unknown) => {
    throw new IvitError('E_NO_COMPILE', `WebAssembly is not compiled here: ${String(cause)}`, {
      hint: "Allow 'wasm-unsafe-eval' in the page's policy, or pass a module compiled ahead of time.",
      cause,
    });
  });
}

/** The second module only where the engine knows all its operations. */
async function relaxedCandidate(options: CpuBackendOptions, kind: MemoryKind): Promise<WebAssembly.Module | undefined> {
  if (options.module !== undefined) return options.relaxedModule;
  const bytes = relaxedKernelBytes(kind);
  return WebAssembly.validate(bytes) ? compileBytes(bytes) : undefined;
}

async function chooseKernels(options: CpuBackendOptions, kind: MemoryKind, select: Select): Promise<ChosenKernels> {
  const main = options.module ?? (await compileBytes(kernelBytes(kind)));
  const relaxed = await relaxedCandidate(options, kind);
  if (relaxed === undefined) return { modules: { main }, choice: INT16_ONLY };
  const modules = { main, relaxed };
  const choice = select(await createTrial(modules, kind), () => performance.now());
  return { modules: choice.relaxed === undefined ? { main } : modules, choice };
}

class CpuBackend implements Backend {
  readonly specificationVersion = 1;
  readonly name = 'cpu';
  readonly version: string = packageJson.version;
  readonly ops = OP_VERSIONS;
  readonly #options: CpuBackendOptions;
  readonly #threads: number;
  readonly #select: Select;
  #kernels: Promise<ChosenKernels> | undefined;
  #pool: WorkerPool | undefined;
  #lastId = 0;

  constructor(options: CpuBackendOptions, select: Select) {
    this.#options = options;
    this.#select = select;
    this.#threads = threadCount(options);
  }

  get #kind(): MemoryKind {
    return this.#threads > 1 ? 'shared' : 'unshared';
  }

  async probe(): Promise<ProbeResult> {
    try {
      if (typeof WebAssembly !== 'object') {
        return { available: false, code: 'E_NO_WASM', reason: 'There is no WebAssembly here' };
      }
      const { choice } = await this.#chosen();
      const { verdict } = choice;
      const features = [
        'simd128',
        ...(verdict === undefined || verdict === 'inexact' ? [] : ['relaxed-simd']),
        ...(this.#threads > 1 ? ['threads'] : []),
      ];
      return {
        available: true,
        device: 'WebAssembly',
        threads: this.#threads,
        features,
        declined: this.#declined(choice),
      };
    } catch (error) {
      if (this.#options.module === undefined && !WebAssembly.validate(kernelBytes(this.#kind))) {
        return { available: false, code: 'E_NO_SIMD', reason: 'This WebAssembly has no 128-bit SIMD' };
      }
      const code = IvitError.isInstance(error) ? error.code : 'E_BACKEND';
      return { available: false, code, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  #declined(choice: Choice): readonly Declined[] {
    const options = this.#options;
    const relaxed = declinedRelaxed(choice, options.module === undefined || options.relaxedModule !== undefined);
    if (this.#threads > 1) return relaxed;
    return [...relaxed, lackOfThreads(options) ?? (options.threads === 1 ? 'threads:asked' : 'threads:one-core')];
  }

  /** Modules and choice, once per backend. */
  #chosen(): Promise<ChosenKernels> {
    this.#kernels ??= chooseKernels(this.#options, this.#kind, this.#select);
    return this.#kernels;
  }

  #startThreads(): WorkerPool {
    if (this.#pool === undefined || this.#pool.lost) {
      const { createWorker } = this.#options;
      this.#pool = new WorkerPool(() => createWorkerHandle(createWorker), this.#threads);
    }
    return this.#pool;
  }

  async compile(program: ValidatedProgram, options: CompileOptions = {}): Promise<Executable> {
    const { maxBatch, outputs } = compileRequest(program, options, 'CPU', OP_VERSIONS);
    const threads = this.#threads;
    // Threads start while the program is planned.
    const pool = threads > 1 ? this.#startThreads() : undefined;
    pool?.acquire();
    try {
      return await this.#build(program, { ...options, outputs, maxBatch }, pool);
    } catch (error) {
      pool?.release();
      throw error;
    }
  }

  async #build(
    program: ValidatedProgram,
    options: CompileOptions & { readonly outputs: readonly string[]; readonly maxBatch: number },
    pool: WorkerPool | undefined,
  ): Promise<Executable> {
    const threads = this.#threads;
    const { modules, choice } = await this.#chosen();
    const several = threads > 1 && options.maxBatch >= threads;
    const planned = planProgram(program, options.outputs, threads, choice.relaxed, several);
    // Lanes are for speed alone: what has room without them runs without them.
    const fits = planned.bytes + (planned.lanes?.bytes ?? 0) <= (options.memoryLimit ?? Number.POSITIVE_INFINITY);
    const plan = fits ? planned : { ...planned, lanes: undefined };
    assertMemory(plan.bytes, options.memoryLimit);
    const engine = await createEngine(plan, modules, pool);
    if (options.signal?.aborted) pool?.giveBack(engine.memory);
    throwIfAborted(options.signal, 'Compiling');
    const info = {
      backend: this.name,
      variant: `wasm-${modules.relaxed === undefined ? 'simd128' : 'relaxed-simd'}${threads > 1 ? '-threads' : ''}`,
      threads,
      bytes: plan.bytes + (plan.lanes?.bytes ?? 0),
    };
    let threaded: ThreadedRun | undefined;
    if (pool !== undefined) {
      this.#lastId += 1;
      threaded = { pool, id: this.#lastId, lanes: new Lanes(plan, pool, this.#lastId) };
      const { scratch } = plan;
      pool.load(threaded.id, modules, engine.memory, (thread) => scratch.address + thread * scratch.bytes);
    }
    return new CpuExecutable(engine, plan, options.maxBatch, info, threaded);
  }
}

/**
 * The CPU backend: integer kernels in WebAssembly SIMD, on one thread or several. It runs in Node, browsers, workers and
 * edge runtimes, and gives the same bits in all of them.
 *
 * @throws E_INPUT for a number of threads out of range
 */
export function createCpuBackend(options: CpuBackendOptions = {}): Backend {
  return createCpuBackendWith(options, selectProduct);
}

/** The same with another way to choose between kernels: for checks of ours. */
export function createCpuBackendWith(options: CpuBackendOptions, select: Select): Backend {
  return new CpuBackend(options, select);
}
