import type { FileMetadata } from './metadata.js';
import type { Sink } from './sink.js';

/** A download on its way into a store. */
export interface StoredSink extends Sink {
  /** Makes the file part of the store: call it for verified bytes only. */
  keep(): Promise<void>;
  /** Lets go of it; what has arrived stays for the next attempt. */
  close(): Promise<void>;
}

/** Files by their digest, and what each address meant when it was last asked for. */
export interface HubStore {
  read(digest: string): Promise<Uint8Array | undefined>;
  remove(digest: string): Promise<void>;
  open(digest: string): Promise<StoredSink>;
  recall(key: string): Promise<FileMetadata | undefined>;
  remember(key: string, metadata: FileMetadata): Promise<void>;
}
