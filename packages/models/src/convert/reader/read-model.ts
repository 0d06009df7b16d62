import type { SwinWeights } from '../../swin/types.js';
import type { VitWeights } from '../../vit/types.js';
import { type ModelFolder, openWeights } from './model-folder.js';
import { readSwin } from './read-swin.js';
import { type ReadVitOptions, readVit } from './read-vit.js';
import { looksLikeSwin } from './swin-names.js';

/** A float model of one of the known architectures. */
export type FloatModel =
  | { readonly architecture: 'vit'; readonly weights: VitWeights }
  | { readonly architecture: 'swin'; readonly weights: SwinWeights };

/**
 * Reads a float classifier whatever its architecture, which its tensor names tell.
 *
 * @param options For ViTs; a Swin's shapes tell its heads.
 * @throws IvitError as `readVit` and `readSwin`.
 */
export function readModel(folder: ModelFolder, options: ReadVitOptions = {}): FloatModel {
  if (looksLikeSwin(openWeights(folder).tensors.keys())) return { architecture: 'swin', weights: readSwin(folder) };
  return { architecture: 'vit', weights: readVit(folder, options) };
}
