import type { Backend, OutputTensor } from '@ivit/backend';
import type { Program, ProgramLimits, ValidatedProgram } from '@ivit/program';

/** Decoded pixels, row by row: 3 (RGB) or 4 (RGBA, alpha dropped) bytes per pixel. An `ImageData` is one. */
export interface RawImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Pixels that already went through the model's resize and crop (see `Model.prepare`): the input value's bytes. */
export interface PreparedImage {
  readonly pixels: Uint8Array;
}

/** Anything with bytes to ask for: a `Blob`, a `File`, a `Response`. They are asked for when its turn comes. */
export interface BytesSource {
  /** Names the photo in errors, as a `File` does. */
  readonly name?: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** A photo: PNG or JPEG bytes, something that yields them, decoded pixels, or prepared pixels. */
export type ImageInput = Uint8Array | ArrayBuffer | BytesSource | RawImage | PreparedImage;

/**
 * The claim that a run makes about one image; anyone can check it by running again. Independent of batch, backend,
 * threads and machine.
 */
export interface Receipt {
  /** Spec id of the program. */
  readonly spec: string;
  /** Model id (sha256, hex). */
  readonly model: string;
  /** sha256 (hex) of the input value's bytes: the H×W×3 pixels after resize and crop. */
  readonly pixels: string;
  /** sha256 (hex) of the little-endian int32 logits. */
  readonly output: string;
}

/** One image's share of a run. */
export interface RunResult {
  /** The values asked for, by the names they were asked for, without the batch dimension. */
  readonly outputs: Readonly<Record<string, OutputTensor>>;
  readonly receipt: Receipt;
  /** Version of `@ivit/runtime` that ran. */
  readonly runtime: string;
  /** Name of the backend that ran. */
  readonly backend: string;
  /** Device that ran, as its backend describes it. */
  readonly device: string;
}

/** One class, best first. `unknown` answers have index -1. */
export interface Answer {
  readonly label: string;
  readonly index: number;
  /** The integer logit, unit 2^-outputShift of the program. */
  readonly logit: number;
  /** k/65536 for an integer k from integer arithmetic: the same on every machine. */
  readonly score: number;
}

export interface PrepareOptions {
  readonly signal?: AbortSignal;
  /** Name of the photo in errors. */
  readonly where?: string;
}

export interface RunInputsOptions {
  /**
   * Values to return: any value names of the program. Where no value has the name, `logits` means the program's output
   * and `embedding` what its classifier reads (the last `linear`'s x, before rows are quantized). Default
   * `['logits']`. Each new set is compiled once and held until `dispose`.
   */
  readonly outputs?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface ClassifyOptions {
  /** Answers per image, 1 or more; default 5, at most the number of classes. */
  readonly topK?: number;
  readonly signal?: AbortSignal;
}

/** A backend that was tried and not used, and why. */
export interface SkippedBackend {
  readonly backend: string;
  readonly code: string;
  readonly reason: string;
}

export interface ModelInfo {
  readonly spec: string;
  /** Model id (sha256, hex). Hashed when it is first asked for. */
  readonly model: string;
  readonly runtime: string;
  readonly backend: {
    readonly name: string;
    readonly version: string;
    readonly variant: string;
    readonly threads: number;
    readonly device: string;
  };
  /** `absent`: the file carries no self-check. */
  readonly selfCheck: 'passed' | 'absent';
  /** Backends before the one that runs. */
  readonly skipped: readonly SkippedBackend[];
  /** Images per backend call; never changes a bit. */
  readonly maxBatch: number;
}

/** A loaded model. Hold it, use it for many photos, dispose of it. */
export interface Model {
  readonly program: ValidatedProgram;
  readonly info: ModelInfo;
  /**
   * Decodes, resizes and crops one photo.
   * @throws E_DISPOSED, E_ABORTED, E_INPUT, and the codes of `@ivit/image`
   */
  prepare(input: ImageInput, options?: PrepareOptions): Promise<PreparedImage>;
  /** @throws E_DISPOSED, E_ABORTED, E_INPUT, and the codes of `@ivit/image` and of the backend */
  run(inputs: readonly ImageInput[], options?: RunInputsOptions): Promise<RunResult[]>;
  /** Best classes of one photo (or of each of several). Throws as `run`. */
  classify(input: ImageInput, options?: ClassifyOptions): Promise<Answer[]>;
  classify(inputs: readonly ImageInput[], options?: ClassifyOptions): Promise<Answer[][]>;
  /** Frees the backend's memory; every later call throws E_DISPOSED. May be called twice. */
  dispose(): Promise<void>;
}

/** What `createModel` is busy with. */
export type ModelPhase = 'read' | 'compile' | 'self-check';

export interface CreateModelOptions {
  /** Bytes of a program file, or a program. */
  readonly program: Uint8Array | Program;
  /** Tried in this order; the first that is available, compiles and passes the self-check runs. */
  readonly backends: readonly Backend[];
  /**
   * The bytes of `program` are given away: the model may keep windows on them instead of copies. They must not change
   * afterwards. Default: false.
   */
  readonly borrow?: boolean;
  /** `sha256-` and 64 hex digits or base64 (as in HTML): must be the sha256 of the file's bytes. */
  readonly integrity?: string;
  /** Name of the file in errors. */
  readonly where?: string;
  /** Limits for the validator; its defaults otherwise. */
  readonly limits?: Partial<ProgramLimits>;
  /** Images per backend call. Default: as many (1 … 16) as keep one batch's values within 64 MiB. */
  readonly maxBatch?: number;
  /** Photos with more pixels are refused. Default: that of `@ivit/image`. */
  readonly maxPixels?: number;
  readonly onPhase?: (phase: ModelPhase, backend?: string) => void;
  readonly signal?: AbortSignal;
}
