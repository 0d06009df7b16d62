import type { Backend } from '@ivit/backend';
import type { ProgramLimits } from '@ivit/program';
import type { Answer, ClassifyOptions, ImageInput, Model, RunInputsOptions, RunResult } from '@ivit/runtime';
import type { HttpOptions } from './hub/http.js';
import type { OnProgress } from './progress.js';

/**
 * Where a model file comes from: `'builtin'`, `'hf:owner/name[@revision][/file]'`, a URL, a path (Node; elsewhere a
 * string is a URL), or the bytes.
 */
export type ModelSource = string | URL | Blob | Uint8Array | ArrayBuffer;

/** A photo: a path or URL, or whatever the runtime takes (bytes, a Blob, pixels). */
export type Photo = string | URL | ImageInput;

/** How `hf:` addresses are fetched; `fetch`, `attempts`, `backoff` and `stall` hold for URLs too. */
export interface HubOptions extends Omit<HttpOptions, 'signal'> {
  /** Base URL of the hub. Default `https://huggingface.co`. */
  readonly endpoint?: string;
  /** Branch, tag or commit where the address names none. Default `main`. */
  readonly revision?: string;
  /**
   * Folder for downloads (Node only; browsers keep none). Default: `IVIT_CACHE`, else `ivit` in the system's cache
   * folder. `false`: keep nothing.
   */
  readonly cache?: string | false;
}

export interface LoadModelOptions {
  /** `sha256-` and 64 hex digits or base64: must be the sha256 of the model file. */
  readonly integrity?: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Tried in this order. Default: those of this package, loaded when needed. */
  readonly backends?: readonly Backend[];
  /** The only one of this package's backends to try: `cpu`, `webgpu` or `reference`. Not beside `backends`. */
  readonly backend?: string;
  /** Threads of the default `cpu` backend, 1 or more. Default: its own choice. Never changes a bit. */
  readonly threads?: number;
  readonly hub?: HubOptions;
  readonly limits?: Partial<ProgramLimits>;
  readonly maxBatch?: number;
  readonly maxPixels?: number;
}

/** A `Model` of `@ivit/runtime` that also reads photos by path and URL. */
export interface LoadedModel extends Omit<Model, 'prepare' | 'run' | 'classify'> {
  /** Reads, decodes, resizes and crops one photo. */
  prepare(photo: Photo, options?: Parameters<Model['prepare']>[1]): ReturnType<Model['prepare']>;
  run(photos: readonly Photo[], options?: RunInputsOptions): Promise<RunResult[]>;
  /** Best classes of one photo (or of each of several). */
  classify(photo: Photo, options?: ClassifyOptions): Promise<Answer[]>;
  classify(photos: readonly Photo[], options?: ClassifyOptions): Promise<Answer[][]>;
}
