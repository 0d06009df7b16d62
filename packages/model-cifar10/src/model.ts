import { MODEL } from './metadata.js';

/** What is known of the model without opening its file. */
export interface ModelMetadata {
  /** sha256 (hex) of the file. */
  readonly sha256: string;
  /** Model id: sha256 (hex) of what the program computes. */
  readonly model: string;
  /** Size of the file. */
  readonly bytes: number;
  readonly labels: readonly string[];
}

/** Where the model file is: a `file:` URL in Node; in browsers the URL beside this module. */
export const file: URL = new URL('../model.safetensors', import.meta.url);

export const metadata: ModelMetadata = MODEL;
