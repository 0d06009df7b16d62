import { IvitError } from '../error.js';

/**
 * Refuses what an executable cannot run.
 *
 * @param perImage bytes of one image
 * @throws IvitError E_INPUT
 */
export function assertPixels(pixels: Uint8Array, batch: number, maxBatch: number, perImage: number): void {
  if (!(pixels instanceof Uint8Array)) {
    throw new IvitError('E_INPUT', 'The pixels are not a Uint8Array', { where: 'pixels' });
  }
  if (!Number.isSafeInteger(batch) || batch < 1 || batch > maxBatch) {
    throw new IvitError('E_INPUT', `The batch is ${batch}, not in 1…${maxBatch}`, {
      where: 'batch',
      hint: 'Compile with a larger maxBatch.',
    });
  }
  const size = perImage * batch;
  if (pixels.length !== size) {
    throw new IvitError('E_INPUT', `${batch} image(s) have ${size} bytes, not ${pixels.length}`, { where: 'pixels' });
  }
}
