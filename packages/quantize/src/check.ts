import {
  type FloatTensor,
  prefixTokens,
  readoutOf,
  tokenCount,
  type VitPreprocess,
  type VitWeights,
} from '@ivit/models';
import { IvitError } from '@ivit/program';
import { checkNotEmpty } from './calibration.js';
import type { CalibrationPhoto } from './types.js';

/** Every float tensor of the weights under a readable name, in a fixed order. */
export function* tensorsOf(weights: VitWeights): Generator<readonly [string, FloatTensor, readonly number[]]> {
  const { dim, mlpDim, classes, patchSize } = weights.config;
  yield ['patchEmbed.weight', weights.patchEmbed.weight, [dim, patchSize * patchSize * 3]];
  yield ['patchEmbed.bias', weights.patchEmbed.bias, [dim]];
  yield ['classToken', weights.classToken, [prefixTokens(weights.config) * dim]];
  yield ['positionEmbedding', weights.positionEmbedding, [tokenCount(weights.config), dim]];
  for (const [index, block] of weights.blocks.entries()) {
    const linears = [
      ['qkv', block.qkv, 3 * dim, dim],
      ['proj', block.proj, dim, dim],
      ['fc1', block.fc1, mlpDim, dim],
      ['fc2', block.fc2, dim, mlpDim],
    ] as const;
    for (const [name, norm] of [
      ['norm1', block.norm1],
      ['norm2', block.norm2],
    ] as const) {
      yield [`blocks.${index}.${name}.weight`, norm.weight, [dim]];
      yield [`blocks.${index}.${name}.bias`, norm.bias, [dim]];
    }
    for (const [name, linear, rows, columns] of linears) {
      yield [`blocks.${index}.${name}.weight`, linear.weight, [rows, columns]];
      yield [`blocks.${index}.${name}.bias`, linear.bias, [rows]];
    }
  }
  yield ['norm.weight', weights.norm.weight, [dim]];
  yield ['norm.bias', weights.norm.bias, [dim]];
  yield ['head.weight', weights.head.weight, [classes, dim]];
  yield ['head.bias', weights.head.bias, [classes]];
  if (weights.distillationHead === undefined) return;
  yield ['distillationHead.weight', weights.distillationHead.weight, [classes, dim]];
  yield ['distillationHead.bias', weights.distillationHead.bias, [classes]];
}

/**
 * @throws IvitError `E_WEIGHTS_SHAPE`, `E_WEIGHTS_VALUE` (NaN or infinite), naming the tensor.
 */
export function checkWeights(weights: VitWeights): void {
  const { config, blocks } = weights;
  const whole = [config.dim / config.heads, config.imageSize / config.patchSize].every(
    (ratio) => Number.isInteger(ratio) && ratio > 0,
  );
  if (!whole || blocks.length !== config.depth) {
    throw new IvitError('E_WEIGHTS_SHAPE', 'the configuration does not fit itself or the blocks', {
      where: JSON.stringify(config),
      hint: 'heads must divide dim, patchSize imageSize, and depth be the number of blocks.',
    });
  }
  const readout = readoutOf(config);
  const prefix = prefixTokens(config);
  const readable = readout === 'class' ? prefix >= 1 : readout !== 'distilled' || prefix === 2;
  if (!readable || (readout === 'distilled') !== (weights.distillationHead !== undefined)) {
    throw new IvitError('E_WEIGHTS_SHAPE', `readout ${readout} does not fit ${prefix} tokens in front of the patches`, {
      where: JSON.stringify(config),
      hint: 'class needs a class token; distilled needs a distillation token and head.',
    });
  }
  checkTensors(tensorsOf(weights));
  checkPreprocess(weights.preprocess);
}

/**
 * @param tensors name, tensor and the shape it must have.
 * @throws IvitError `E_WEIGHTS_SHAPE`, `E_WEIGHTS_VALUE` (NaN or infinite), naming the tensor.
 */
export function checkTensors(tensors: Iterable<readonly [string, FloatTensor, readonly number[]]>): void {
  for (const [name, tensor, shape] of tensors) {
    const count = shape.reduce((product, size) => product * size, 1);
    if (tensor.data.length !== count) {
      throw new IvitError('E_WEIGHTS_SHAPE', `${tensor.data.length} weights where [${shape.join(',')}] is needed`, {
        where: name,
      });
    }
    for (let i = 0; i < count; i += 1) {
      if (Number.isFinite(tensor.data[i])) continue;
      throw new IvitError('E_WEIGHTS_VALUE', `weight ${i} is ${tensor.data[i]}`, {
        where: name,
        hint: 'The checkpoint is damaged or was saved in the middle of a diverged training run.',
      });
    }
  }
}

/** @throws IvitError `E_WEIGHTS_VALUE` */
export function checkPreprocess(preprocess: VitPreprocess): void {
  for (const [color, std] of preprocess.std.entries()) {
    if (Number.isFinite(std) && std > 0 && Number.isFinite(preprocess.mean[color])) continue;
    throw new IvitError('E_WEIGHTS_VALUE', `mean or std of color ${color} is not a usable number`, {
      where: 'preprocess',
    });
  }
}

/** @throws IvitError `E_CALIBRATION_EMPTY`, `E_INPUT_SIZE` naming the photo. */
export function checkPhotos(weights: VitWeights, photos: readonly CalibrationPhoto[]): void {
  checkPixels(weights.config.imageSize, photos);
}

/**
 * @param side of the model's images.
 * @throws IvitError `E_CALIBRATION_EMPTY`, `E_INPUT_SIZE` naming the photo.
 */
export function checkPixels(side: number, photos: readonly CalibrationPhoto[]): void {
  checkNotEmpty(photos.length);
  for (const { name, pixels } of photos) {
    if (pixels.length === side * side * 3) continue;
    throw new IvitError('E_INPUT_SIZE', `${pixels.length} pixel bytes instead of ${side * side * 3}`, {
      where: name,
      hint: `Resize and crop the photo to ${side}×${side} first.`,
    });
  }
}
