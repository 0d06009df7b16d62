import type { DType, ValidatedProgram } from '@ivit/program';

export interface ProbeOptions {
  readonly signal?: AbortSignal;
}

export type ProbeResult =
  | {
      readonly available: true;
      /** Human-readable name of what would run, e.g. the CPU or adapter. */
      readonly device: string;
      readonly threads: number;
      readonly features: readonly string[];
      /**
       * What is not used although it could serve, each as `feature:reason` in short words that do not change, such as
       * `threads:no-shared-memory`. Optional.
       */
      readonly declined?: readonly string[];
    }
  | { readonly available: false; readonly code: string; readonly reason: string };

export interface CompileOptions {
  /** Largest batch `run` will be given. Default 1. */
  readonly maxBatch?: number;
  /** Values to return besides (and including) the program's output. Default: the output alone. */
  readonly outputs?: readonly string[];
  /** Bytes the executable may hold. */
  readonly memoryLimit?: number;
  readonly signal?: AbortSignal;
}

export interface RunOptions {
  /** Images in `pixels`, 1 … maxBatch. */
  readonly batch: number;
  readonly signal?: AbortSignal;
}

export interface OutputTensor {
  readonly dtype: DType;
  /** Batch first. */
  readonly shape: readonly number[];
  readonly data: Uint8Array | Int8Array | Int16Array | Int32Array;
}

export type Outputs = Readonly<Record<string, OutputTensor>>;

export interface ExecutableInfo {
  readonly backend: string;
  readonly variant: string;
  readonly threads: number;
  /** Bytes held by the executable. */
  readonly bytes: number;
}

/** A compiled program. Calls of `run` queue: first in, first out. */
export interface Executable {
  readonly info: ExecutableInfo;
  /**
   * @param pixels `batch` images of the input value's bytes, one after the other. Read before the promise resolves; not kept.
   * @throws E_INPUT (wrong length or batch), E_DISPOSED, E_ABORTED
   */
  run(pixels: Uint8Array, options: RunOptions): Promise<Outputs>;
  /** sha256 of the little-endian bytes of every value this executable materializes, for one image, in op order. */
  trace(pixels: Uint8Array): AsyncIterable<{ readonly value: string; readonly digest: string }>;
  dispose(): Promise<void>;
}

/**
 * Contract v1: what a backend promises. Structural: nothing is imported at run time to implement it.
 * Every declared op version gives the bits of the spec on every input.
 */
export interface Backend {
  readonly specificationVersion: 1;
  readonly name: string;
  readonly version: string;
  /** Declared versions per op name. */
  readonly ops: Readonly<Record<string, readonly number[]>>;
  /** Never throws. */
  probe(options?: ProbeOptions): Promise<ProbeResult>;
  /** @throws E_UNSUPPORTED_OP, E_MEMORY, E_ABORTED, E_INPUT */
  compile(program: ValidatedProgram, options?: CompileOptions): Promise<Executable>;
}
