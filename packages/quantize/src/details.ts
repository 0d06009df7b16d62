import type { RecipeDetails, SwinWeights, VitWeights } from '@ivit/models';
import type { CalibrationPhoto } from './types.js';

/** Image rule, labels and provenance that the program carries beside its arithmetic. */
export function programDetails(
  weights: VitWeights | SwinWeights,
  photos: readonly CalibrationPhoto[],
  recipe: string,
  architecture: 'vit' | 'swin' = 'vit',
): RecipeDetails {
  const { config, preprocess, labels, sources } = weights;
  return {
    image: {
      resize: preprocess.resize,
      interpolation: preprocess.interpolation,
      crop: { height: config.imageSize, width: config.imageSize },
    },
    ...(labels.length === config.classes ? { labels } : {}),
    provenance: { sources, recipe, calibration: photos.map((photo) => photo.sha256), architecture },
  };
}
