import type { ModelInfo } from 'ivit';
import type { Failure } from './errors.js';
import type { Labeling, Outcome } from './row.js';

/** What a worker is told first. */
export interface LoadMessage {
  readonly type: 'load';
  readonly model: string;
  /** Threads of the cpu backend. */
  readonly threads: number;
  readonly topK: number;
  readonly maxPixels: number | undefined;
}

export interface PhotoMessage {
  readonly type: 'photo';
  readonly path: string;
  /** Its name in messages. */
  readonly file: string;
}

export type ToWorker = LoadMessage | PhotoMessage;

export type FromWorker =
  | {
      readonly type: 'ready';
      readonly labeling: Labeling;
      /** The backend that runs, and why those before it do not. */
      readonly backend: string;
      readonly skipped: ModelInfo['skipped'];
    }
  /** The model cannot be loaded: no worker can go on. */
  | { readonly type: 'refused'; readonly error: Failure }
  | { readonly type: 'done'; readonly outcome: Outcome };
