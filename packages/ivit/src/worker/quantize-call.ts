import type { Backend } from '@ivit/backend';
import { IvitError } from '@ivit/program';
import type { QuantizeResult } from '@ivit/quantize';
import { isModelFile } from '../model-files.js';
import { quantizeFiles } from '../quantize-files.js';
import type { Calls } from './messages.js';
import { bytesOf } from './unpack.js';

/** The first backend that runs here. @throws E_NO_BACKEND */
async function firstAvailable(backends: readonly Backend[]): Promise<Backend> {
  const reasons: string[] = [];
  for (const backend of backends) {
    const probe = await backend.probe();
    if (probe.available) return backend;
    reasons.push(`${backend.name}: ${probe.code}, ${probe.reason}`);
  }
  throw new IvitError('E_NO_BACKEND', `No backend runs here: ${reasons.join('; ')}`);
}

/** `quantizeFiles` of what came to this worker. */
export async function quantizeFromBytes(
  { files, photos, options }: Calls['quantize']['request'],
  backends: readonly Backend[],
  context: { readonly signal: AbortSignal; readonly onProgress: (progress: unknown) => void },
): Promise<QuantizeResult> {
  const folder = new Map<string, Uint8Array>();
  for (const file of files) if (isModelFile(file.name)) folder.set(file.name, await bytesOf(file));
  const shelf = new Map(photos.map((photo) => [photo.name, photo]));
  const { backends: _, threads: _threads, ...choices } = options;
  return quantizeFiles({
    ...choices,
    folder: { name: 'the files given', files: folder },
    photos: {
      names: [...shelf.keys()],
      where: (name) => name,
      async read(name) {
        const photo = shelf.get(name);
        if (photo === undefined) throw new RangeError(`no photo ${name}`);
        return bytesOf(photo);
      },
    },
    backend: await firstAvailable(backends),
    cache: undefined,
    ...context,
  });
}
