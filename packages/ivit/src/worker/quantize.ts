import { throwIfAborted } from '@ivit/program';
import type { Progress } from '@ivit/quantize';
import { connect } from './connection.js';
import type { WireQuantizeOptions } from './messages.js';
import { packFiles, type Transfer } from './pack.js';
import type { QuantizedFile, QuantizeFilesOptions } from './types.js';

/** The options that are data. */
function wireOptions(options: QuantizeFilesOptions): WireQuantizeOptions {
  const { files: _, photos: _photos, onProgress: _progress, signal: _signal, createWorker: _worker, ...data } = options;
  return data;
}

/**
 * Makes an integer model of float weights and photos in a worker: the same file as `ivit quantize` makes of them. The
 * worker ends with the work, at once if it is aborted.
 *
 * @throws E_ABORTED, E_WORKER, E_INPUT, E_CALIBRATION_EMPTY, and the codes of `@ivit/models`, `@ivit/quantize`, `@ivit/image`
 */
export async function quantize(options: QuantizeFilesOptions): Promise<QuantizedFile> {
  const { signal, onProgress, createWorker } = options;
  throwIfAborted(signal, 'Quantizing');
  const transfer: Transfer = [];
  const files = await packFiles(options.files, 'files', transfer);
  const photos = await packFiles(options.photos, 'photos', transfer);
  throwIfAborted(signal, 'Quantizing');
  const connection = connect(createWorker);
  try {
    const call = { call: 'quantize', files, photos, options: wireOptions(options) } as const;
    // Progress of this call is always the quantizer's.
    return await connection.call(call, transfer, {
      signal,
      onProgress: (progress) => onProgress?.(progress as Progress),
    });
  } finally {
    await connection.close();
  }
}
