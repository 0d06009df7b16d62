import type { Progress, QuantizationReport } from '@ivit/quantize';
import type {
  Answer,
  ClassifyOptions,
  PreparedImage,
  PrepareOptions,
  RunInputsOptions,
  RunResult,
} from '@ivit/runtime';
import type { QuantizeChoices } from '../quantize-files.js';
import type { HubOptions, LoadedModel, LoadModelOptions, Photo } from '../types.js';
import type { DrawnPhoto } from './messages.js';

/** A worker of the platform: a browser's `Worker`, or one of Node's worker threads. */
export interface PlatformWorker {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  terminate(): unknown;
}

/**
 * A photo as `loadModel` of `ivit` takes it, or an `ImageBitmap` or `VideoFrame` of a browser. Of these two the browser's
 * own decoder has made the pixels, and scaled or converted their colors perhaps: other browsers may give other pixels for
 * the same file. A PNG or JPEG as a `Blob`, bytes or an address goes through this project's decoders, the same everywhere.
 * The receipt names the pixels that the model saw, after resizing, in both cases.
 */
export type WorkerPhoto = Photo | DrawnPhoto;

interface WorkerOptions {
  /**
   * Names of backends to try, in this order. Default: those of this package in its order. A worker script of your own may
   * know others (`serveModels` of `ivit/worker-host`).
   */
  readonly backends?: readonly string[];
  /** Threads of the `cpu` backend besides the worker's own, see `loadModel` of `ivit`. */
  readonly threads?: number;
  /** Starts a worker with the code of `ivit/model-worker`, where a bundler moved that file, or with a script of your own. */
  readonly createWorker?: () => PlatformWorker;
}

export interface WorkerLoadOptions
  extends Omit<LoadModelOptions, 'backend' | 'backends' | 'hub' | 'threads'>,
    WorkerOptions {
  readonly hub?: Omit<HubOptions, 'fetch'>;
}

/** A model that runs in a worker: `LoadedModel` of `ivit`, for more kinds of photos. */
export interface WorkerModel extends Omit<LoadedModel, 'prepare' | 'run' | 'classify'> {
  prepare(photo: WorkerPhoto, options?: PrepareOptions): Promise<PreparedImage>;
  run(photos: readonly WorkerPhoto[], options?: RunInputsOptions): Promise<RunResult[]>;
  classify(photo: WorkerPhoto, options?: ClassifyOptions): Promise<Answer[]>;
  classify(photos: readonly WorkerPhoto[], options?: ClassifyOptions): Promise<Answer[][]>;
  /** Ends the worker at once: calls under way reject with E_DISPOSED, as every later call does. May be called twice. */
  dispose(): Promise<void>;
}

/** A file with its name, as a browser's `File` is. */
export interface NamedFile {
  readonly name: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface QuantizeFilesOptions extends WorkerOptions, QuantizeChoices {
  /** Weights (one safetensors file or torch checkpoint, or shards with their index), `config.json`, `preprocessor_config.json`. */
  readonly files: readonly NamedFile[];
  /** PNG or JPEG photos of the kind the model will see; 16 to 64 do well. */
  readonly photos: readonly NamedFile[];
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

export interface QuantizedFile {
  /** The program file: what `ivit quantize` writes for the same files, photos and options. */
  readonly bytes: Uint8Array;
  /** Model id (sha256, hex). */
  readonly model: string;
  readonly report: QuantizationReport;
}
