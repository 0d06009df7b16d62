import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../test/random.js';
import {
  huggingFaceSwin,
  newTimmSwin,
  ODD_SWIN,
  randomSwinTensors,
  SMALL_SWIN,
  swinConfig,
  swinFolder,
} from '../../../test/random-swin.js';
import { randomTimmTensors, SMALL_SHAPE, timmConfig, timmFolder } from '../../../test/random-vit.js';
import { readModel } from './read-model.js';
import { readSwin } from './read-swin.js';

const TENSORS = randomSwinTensors(SMALL_SWIN, 3);
const CONFIG = swinConfig(SMALL_SWIN);

function rejects(code: string, text: string): unknown {
  return expect.objectContaining({ code, message: expect.stringContaining(text) });
}

function zeros(shape: number[]): { shape: number[]; data: Float32Array } {
  return { shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
}

function changed(changes: Record<string, { shape: number[]; data: Float32Array } | undefined>): NamedTensors {
  const tensors = new Map(TENSORS);
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
  }
  return tensors;
}

describe('readSwin', () => {
  const weights = readSwin(swinFolder(TENSORS, CONFIG));

  it('takes everything but the image size from shapes', () => {
    expect(weights.config).toEqual({
      imageSize: 16,
      patchSize: 2,
      dim: 12,
      depths: [2, 2],
      heads: [2, 3],
      windowSize: 4,
      layerNormEps: 1e-5,
      classes: 5,
    });
    expect(weights.stages[1]?.blocks[0]?.positionBias.shape).toEqual([49, 3]);
    expect(weights.stages[0]?.merging?.reduction.bias.data).toEqual(new Float32Array(24));
    expect(weights.stages[1]?.merging).toBeUndefined();
    expect(weights.preprocess.resize).toBe(17);
  });

  it.each([
    ['newer timm names', newTimmSwin],
    ['Hugging Face names', huggingFaceSwin],
  ])('gives the same under %s', (_, rename) => {
    const { sources: _a, ...other } = readSwin(swinFolder(rename(TENSORS), CONFIG));
    const { sources: _b, ...same } = weights;
    expect(other).toEqual(same);
  });

  it('leaves index tables and masks aside, and takes the image size from a mask where nothing else tells', () => {
    const tables = changed({
      'layers.0.blocks.0.attn.relative_position_index': zeros([16, 16]),
      'layers.0.blocks.1.attn_mask': zeros([4, 16, 16]),
    });
    expect(readSwin(swinFolder(tables, CONFIG)).config).toEqual(weights.config);
    const { pretrained_cfg, ...silent } = CONFIG as { pretrained_cfg: Record<string, unknown> };
    const { input_size: _, ...rest } = pretrained_cfg;
    const unsized = { ...silent, pretrained_cfg: rest };
    expect(readSwin(swinFolder(tables, unsized)).config.imageSize).toBe(16);
    expect(() => readSwin(swinFolder(TENSORS, unsized))).toThrow(rejects('E_MODEL_CONFIG', 'image size is unknown'));
  });

  it('is what readModel finds by its tensors', () => {
    expect(readModel(swinFolder(huggingFaceSwin(TENSORS), CONFIG)).architecture).toBe('swin');
    const vit = timmFolder(randomTimmTensors(SMALL_SHAPE, 1), timmConfig(SMALL_SHAPE));
    expect(readModel(vit).architecture).toBe('vit');
    expect(() => readSwin(vit)).toThrow(rejects('E_MODEL_UNKNOWN_ARCHITECTURE', 'no Swin'));
  });

  it.each([
    [
      'E_MODEL_MISSING_TENSOR',
      'layers.1.blocks.0.mlp.fc2.bias',
      changed({ 'layers.1.blocks.0.mlp.fc2.bias': undefined }),
    ],
    ['E_MODEL_MISSING_TENSOR', 'head.fc.weight or head', changed({ 'head.weight': undefined })],
    ['E_MODEL_MISSING_TENSOR', 'patch_embed.norm.weight', changed({ 'patch_embed.norm.weight': undefined })],
    ['E_MODEL_MISSING_TENSOR', 'downsample.norm', changed({ 'layers.0.downsample.norm.weight': undefined })],
    [
      'E_MODEL_SHAPE',
      'windows of 2',
      changed({ 'layers.1.blocks.0.attn.relative_position_bias_table': zeros([9, 3]) }),
    ],
    ['E_MODEL_SHAPE', '[8,2]', changed({ 'layers.0.blocks.0.attn.relative_position_bias_table': zeros([8, 2]) })],
    ['E_MODEL_UNSUPPORTED', 'absolute_pos_embed', changed({ absolute_pos_embed: zeros([1, 144, 12]) })],
    ['E_MODEL_UNKNOWN_ARCHITECTURE', 'I-ViT', changed({ 'head.weight_integer': zeros([5, 24]) })],
    ['E_MODEL_CONFIG', 'masks are made for', changed({ 'layers.0.blocks.1.attn_mask': zeros([9, 16, 16]) })],
  ])('refuses with %s: %s', (code, text, tensors) => {
    expect(() => readSwin(swinFolder(tensors, CONFIG))).toThrow(rejects(code, text));
  });

  it.each([
    ['E_MODEL_CONFIG', 'depths is [2,6]', { ...CONFIG, depths: [2, 6] }],
    ['E_MODEL_CONFIG', 'num_heads is [2,2]', { ...CONFIG, model_args: { num_heads: [2, 2] } }],
    ['E_MODEL_CONFIG', 'said to be 32 and 16', { ...CONFIG, image_size: 32 }],
    ['E_MODEL_CONFIG', 'layer_norm_eps is 0', { ...CONFIG, layer_norm_eps: 0 }],
    ['E_MODEL_UNSUPPORTED', 'no square', { ...CONFIG, image_size: [16, 32] }],
    ['E_MODEL_UNSUPPORTED', 'model_args.ape', { ...CONFIG, model_args: { ape: true } }],
    ['E_MODEL_UNSUPPORTED', 'global_pool max', { ...CONFIG, global_pool: 'max' }],
    ['E_MODEL_UNSUPPORTED', 'activation relu', { ...CONFIG, hidden_act: 'relu' }],
  ])('refuses with %s: %s', (code, text, config) => {
    expect(() => readSwin(swinFolder(TENSORS, config))).toThrow(rejects(code, text));
  });

  it('knows windows of another size in every stage', () => {
    expect(readSwin(swinFolder(randomSwinTensors(ODD_SWIN, 1), swinConfig(ODD_SWIN))).config.depths).toEqual([2, 3]);
  });
});
