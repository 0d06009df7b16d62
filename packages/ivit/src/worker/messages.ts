/** What a page and its model worker tell each other. Everything here can be cloned by `postMessage`. */
import type { ProgramLimits, ValidatedProgram } from '@ivit/program';
import type { QuantizationReport } from '@ivit/quantize';
import type { Answer, ModelInfo, PreparedImage, RawImage, RunResult } from '@ivit/runtime';
import type { QuantizeChoices } from '../quantize-files.js';
import type { HubOptions } from '../types.js';

/** An error as data; `code` only where it has one. */
export interface WireError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly problem?: string;
  readonly where?: string;
  readonly hint?: string;
  readonly cause?: string;
  readonly stack?: string;
}

/** Bytes, or a Blob that the worker reads. */
export type WireBytes =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly name?: string }
  | { readonly kind: 'blob'; readonly blob: Blob; readonly name?: string };

/** A photo on its way. `other` is what no reader knows: the worker says so. */
export type WirePhoto =
  | { readonly kind: 'address'; readonly address: string }
  | WireBytes
  | { readonly kind: 'raw'; readonly image: RawImage }
  | { readonly kind: 'prepared'; readonly image: PreparedImage }
  | { readonly kind: 'drawn'; readonly image: DrawnPhoto }
  | { readonly kind: 'other'; readonly value: unknown };

/** The part of `ImageBitmap` and `VideoFrame` that is used. */
export type DrawnPhoto =
  | { readonly width: number; readonly height: number; close(): void }
  | { readonly displayWidth: number; readonly displayHeight: number; close(): void };

/** A model file on its way. */
export type WireSource =
  | { readonly kind: 'address'; readonly address: string }
  | WireBytes
  | { readonly kind: 'other'; readonly value: unknown };

export interface WireLoadOptions {
  readonly integrity?: string;
  readonly backends?: readonly string[];
  readonly threads?: number;
  readonly hub?: Omit<HubOptions, 'fetch'>;
  readonly limits?: Partial<ProgramLimits>;
  readonly maxBatch?: number;
  readonly maxPixels?: number;
}

export interface WireQuantizeOptions extends QuantizeChoices {
  readonly backends?: readonly string[];
  readonly threads?: number;
}

export interface WireLoaded {
  readonly program: ValidatedProgram;
  readonly info: ModelInfo;
}

export interface WireQuantized {
  readonly bytes: Uint8Array;
  readonly model: string;
  readonly report: QuantizationReport;
}

/** Per call: what it carries and what comes back. */
export interface Calls {
  readonly load: {
    readonly request: { readonly source: WireSource; readonly options: WireLoadOptions };
    readonly result: WireLoaded;
  };
  readonly prepare: {
    readonly request: { readonly photo: WirePhoto; readonly where?: string };
    readonly result: PreparedImage;
  };
  readonly run: {
    readonly request: { readonly photos: readonly WirePhoto[]; readonly outputs?: readonly string[] };
    readonly result: RunResult[];
  };
  readonly classify: {
    readonly request: { readonly photos: readonly WirePhoto[]; readonly topK?: number };
    readonly result: Answer[][];
  };
  readonly quantize: {
    readonly request: {
      readonly files: readonly (WireBytes & { readonly name: string })[];
      readonly photos: readonly (WireBytes & { readonly name: string })[];
      readonly options: WireQuantizeOptions;
    };
    readonly result: WireQuantized;
  };
}

export type CallName = keyof Calls;

type CallOf<K extends CallName> = { readonly call: K } & Calls[K]['request'];
export type AnyCall = { readonly [K in CallName]: CallOf<K> }[CallName];
export type AnyResult = Calls[CallName]['result'];

export type ToWorker =
  | { readonly kind: 'call'; readonly id: number; readonly call: AnyCall }
  | { readonly kind: 'abort'; readonly id: number };

export type FromWorker =
  /** The worker listens; `lock` is a Web Lock that it holds while it lives. */
  | { readonly kind: 'ready'; readonly lock?: string }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: unknown }
  | { readonly kind: 'done'; readonly id: number; readonly value: AnyResult }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError }
  /** The worker is of no use any more. */
  | { readonly kind: 'broken'; readonly reason: string };

const KINDS: ReadonlySet<unknown> = new Set(['ready', 'progress', 'done', 'failed', 'broken']);

/** Whether a message comes from `serveModels`: a worker of the caller's may post others too. */
export function isFromWorker(data: unknown): data is FromWorker {
  return typeof data === 'object' && data !== null && 'kind' in data && KINDS.has(data.kind);
}

export function isToWorker(data: unknown): data is ToWorker {
  return (
    typeof data === 'object' &&
    data !== null &&
    'kind' in data &&
    'id' in data &&
    (data.kind === 'call' || data.kind === 'abort')
  );
}
