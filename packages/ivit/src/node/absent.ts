/** What a browser gets for `library.ts`: nothing of it is ever called there (see `hasNode`). */

import type { WebgpuEntry } from '@ivit/backend-webgpu';
import { IvitError } from '@ivit/program';
import type { HubStore } from '../hub/store.js';

function absent(): never {
  throw new IvitError('E_READ', 'There is no file system here', { hint: 'Pass a URL, a Blob or bytes.' });
}

export async function readPath(_path: string | URL): Promise<Uint8Array> {
  return absent();
}

export async function isFolder(_path: string): Promise<boolean> {
  return false;
}

export function firstFile(_folder: string, _names: readonly string[]): string | undefined {
  return undefined;
}

export async function openHubStore(_cache?: string): Promise<HubStore> {
  return absent();
}

export async function installedGpu(): Promise<WebgpuEntry | undefined> {
  return undefined;
}
