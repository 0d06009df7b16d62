import type { VariantTask } from '../measure.js';
import type { MicroResult } from './micro.js';

/** What the page of `pnpm bench --webgpu` measures. */
export interface WebgpuTask {
  readonly batch: number;
  readonly rounds: number;
  readonly calls: number;
  /** Module URL of onnxruntime-web's build with the WebGPU provider. */
  readonly ortWeb: string;
  readonly variants: readonly VariantTask[];
  /** Runs of each instruction; 0: none. */
  readonly microRuns: number;
}

/** What the adapter says of itself. */
export interface AdapterReport {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** Computed on the CPU: no figure of a GPU. */
  readonly software: boolean;
  readonly features: readonly string[];
}

export interface WebgpuResult {
  readonly adapter: AdapterReport;
  readonly micro: readonly MicroResult[];
  /** Milliseconds per call, by variant. */
  readonly runs: Readonly<Record<string, readonly number[]>>;
  readonly details: Readonly<Record<string, string>>;
  /** Why a variant was not measured. */
  readonly left: Readonly<Record<string, string>>;
  readonly engine: string;
}
