import { PROGRAM_KEY } from '@ivit/formats/program';
import { fileUrl, type HubAddress } from './address.js';
import { DEFAULT_ENDPOINT, type HubAccess } from './fetch-file.js';
import { failStatus, fetchOf, withRetries } from './http.js';
import { chunksOf } from './stream.js';

/** Longest safetensors header that is looked into, bytes. */
const MAX_HEADER = 67108864;

/** The first `length` bytes of a file (fewer if it is shorter), whether or not the server knows ranges. */
async function prefix(url: string, length: number, access: HubAccess): Promise<Uint8Array> {
  const { signal } = access;
  const response = await fetchOf(access)(url, {
    headers: { 'accept-encoding': 'identity', range: `bytes=0-${length - 1}` },
    ...(signal === undefined ? {} : { signal }),
  });
  if (!response.ok || response.body === null) failStatus(response, url);
  const bytes = new Uint8Array(length);
  let filled = 0;
  for await (const chunk of chunksOf(response.body)) {
    const part = chunk.subarray(0, length - filled);
    bytes.set(part, filled);
    filled += part.length;
    if (filled === length) break;
  }
  return bytes.subarray(0, filled);
}

/**
 * Whether a safetensors file of the hub says that it holds an ivit program, by its header alone: float weights of any
 * size need not be downloaded to find that they are none.
 */
export async function looksLikeProgram(address: HubAddress, file: string, access: HubAccess): Promise<boolean> {
  const url = fileUrl(access.endpoint ?? DEFAULT_ENDPOINT, address, address.revision, file);
  return withRetries(
    async () => {
      const start = await prefix(url, 8, access);
      if (start.length < 8) return false;
      const view = new DataView(start.buffer, start.byteOffset, 8);
      const length = view.getUint32(0, true);
      if (view.getUint32(4, true) !== 0 || length > MAX_HEADER) return false;
      const header = await prefix(url, 8 + length, access);
      return new TextDecoder().decode(header.subarray(8)).includes(`"${PROGRAM_KEY}"`);
    },
    () => 0,
    url,
    access,
  );
}
