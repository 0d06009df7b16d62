import { IvitError } from '@ivit/program';
import type { VitPreprocess } from '../../vit/types.js';
import {
  booleanAt,
  colorsAt,
  hasKey,
  type JsonObject,
  numberAt,
  numbersAt,
  objectAt,
  sizeAt,
  stringAt,
} from './json-object.js';

function refuse(code: string, what: string, where: string, hint: string): never {
  throw new IvitError(code, what, { where, hint });
}

function checkStd(std: readonly number[], where: string): void {
  if (std.some((value) => !(value > 0))) {
    refuse(
      'E_MODEL_CONFIG',
      `a standard deviation of the colors is not positive: ${std.join(', ')}`,
      where,
      'Correct it.',
    );
  }
}

/**
 * Preprocessing from timm's `pretrained_cfg`: shorter side to floor(crop/crop_pct), center crop, (u8/255 - mean)/std.
 *
 * @throws IvitError `E_MODEL_CONFIG`, `E_MODEL_UNSUPPORTED`.
 */
export function readTimmPreprocess(config: JsonObject, imageSize: number): VitPreprocess {
  const where = config.where;
  const size = numbersAt(config, 'input_size');
  if (size !== undefined && (size.length !== 3 || size[0] !== 3 || size[1] !== imageSize || size[2] !== imageSize)) {
    refuse(
      'E_MODEL_CONFIG',
      `input_size [${size.join(',')}] does not fit the position embedding, which is made for ${imageSize}x${imageSize}`,
      where,
      'Take the configuration that belongs to these weights.',
    );
  }
  const cropMode = stringAt(config, 'crop_mode') ?? 'center';
  if (cropMode !== 'center')
    refuse('E_MODEL_UNSUPPORTED', `crop_mode ${cropMode}`, where, 'Only "center" is supported.');
  const interpolation = stringAt(config, 'interpolation') ?? 'bicubic';
  if (interpolation !== 'bicubic' && interpolation !== 'bilinear') {
    refuse('E_MODEL_UNSUPPORTED', `interpolation ${interpolation}`, where, 'Only bicubic and bilinear are supported.');
  }
  const mean = colorsAt(config, 'mean');
  const std = colorsAt(config, 'std');
  if (mean === undefined || std === undefined) {
    refuse(
      'E_MODEL_CONFIG',
      'there is no mean and std of the colors',
      where,
      'Add "mean" and "std" to pretrained_cfg.',
    );
  }
  checkStd(std, where);
  const cropFraction = numberAt(config, 'crop_pct') ?? 0.875;
  if (!(cropFraction > 0 && cropFraction <= 1)) {
    refuse('E_MODEL_CONFIG', `crop_pct is ${cropFraction}`, where, 'It must be above 0 and at most 1.');
  }
  return { resize: Math.floor(imageSize / cropFraction), interpolation, mean, std };
}

/** `size` and `crop_size` are a number, `{ shortest_edge }` or `{ height, width }` (equal). */
function edgeAt(config: JsonObject, key: string): number | undefined {
  if (!hasKey(config, key)) return undefined;
  if (typeof config.entries.get(key) === 'number') return sizeAt(config, key);
  const size = objectAt(config, key) as JsonObject;
  const shortest = sizeAt(size, 'shortest_edge');
  if (shortest !== undefined) return shortest;
  const height = sizeAt(size, 'height');
  const width = sizeAt(size, 'width');
  if (height === undefined || height !== width) {
    refuse(
      'E_MODEL_UNSUPPORTED',
      'this is no square',
      size.where,
      'Equal height and width, or shortest_edge, are supported.',
    );
  }
  return height;
}

/**
 * Preprocessing from a Hugging Face `preprocessor_config.json`.
 *
 * Another `rescale_factor` f, no rescaling (f = 1) and no normalization (mean 0, std 1) are honored exactly in
 * substance: (u8·f - mean)/std = (u8/255 - mean/(255f)) / (std/(255f)).
 * A processor that squeezes the photo to height × width is read as: shorter side to that height, then center crop.
 * The two agree on square photos.
 *
 * @throws IvitError `E_MODEL_CONFIG`, `E_MODEL_UNSUPPORTED`.
 */
export function readHuggingFacePreprocess(config: JsonObject, imageSize: number): VitPreprocess {
  const where = config.where;
  if (booleanAt(config, 'do_resize') === false) {
    refuse('E_MODEL_UNSUPPORTED', 'a processor that does not resize', where, 'Set do_resize and size.');
  }
  const resize = edgeAt(config, 'size') ?? imageSize;
  const processor = stringAt(config, 'image_processor_type') ?? stringAt(config, 'feature_extractor_type') ?? '';
  // ViT's processor has no crop and is bilinear unless told; DeiT's crops and is bicubic.
  const isDeit = processor.startsWith('DeiT');
  const crops = booleanAt(config, 'do_center_crop') ?? isDeit;
  const cropped = crops ? (edgeAt(config, 'crop_size') ?? imageSize) : resize;
  if (cropped !== imageSize || resize < imageSize) {
    refuse(
      'E_MODEL_CONFIG',
      `photos of ${resize} cropped to ${cropped} do not fit the position embedding, which is made for ${imageSize}x${imageSize}`,
      where,
      'Take the configuration that belongs to these weights.',
    );
  }
  const resample = numberAt(config, 'resample') ?? (isDeit ? 3 : 2);
  if (resample !== 2 && resample !== 3) {
    refuse('E_MODEL_UNSUPPORTED', `resample ${resample}`, where, 'Only 2 (bilinear) and 3 (bicubic) are supported.');
  }
  const factor = booleanAt(config, 'do_rescale') === false ? 1 : (numberAt(config, 'rescale_factor') ?? 1 / 255);
  if (!(factor > 0)) refuse('E_MODEL_CONFIG', `rescale_factor is ${factor}`, where, 'It must be positive.');
  // 1/255 written with fewer digits means 1/255.
  const range = Math.abs(factor * 255 - 1) < 1e-6 ? 1 : factor * 255;
  const normalizes = booleanAt(config, 'do_normalize') !== false;
  const mean = normalizes ? colorsAt(config, 'image_mean') : ([0, 0, 0] as const);
  const std = normalizes ? colorsAt(config, 'image_std') : ([1, 1, 1] as const);
  if (mean === undefined || std === undefined) {
    refuse('E_MODEL_CONFIG', 'there is no image_mean and image_std', where, 'Add them, or set do_normalize to false.');
  }
  checkStd(std, where);
  return {
    resize,
    interpolation: resample === 3 ? 'bicubic' : 'bilinear',
    mean: [mean[0] / range, mean[1] / range, mean[2] / range],
    std: [std[0] / range, std[1] / range, std[2] / range],
  };
}
