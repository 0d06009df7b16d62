import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../test/random.js';
import { encode, jsonBytes, randomTimmTensors, SMALL_SHAPE, timmConfig, timmFolder } from '../../../test/random-vit.js';
import { HAS_SHARED, readFolder, SHARED } from '../../../test/shared.js';
import { readVit } from './read-vit.js';

const TENSORS = randomTimmTensors(SMALL_SHAPE, 5);
const CONFIG = timmConfig(SMALL_SHAPE);

function zeros(shape: number[]): { shape: number[]; data: Float32Array } {
  return { shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
}

function rejects(code: string, text: string): unknown {
  return expect.objectContaining({ code, message: expect.stringContaining(text) });
}

/** The timm tensors with some changed, added or (undefined) left out. */
function changed(changes: Record<string, { shape: number[]; data: Float32Array } | undefined>): NamedTensors {
  const tensors = new Map(TENSORS);
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor === undefined) tensors.delete(name);
    else tensors.set(name, tensor);
  }
  return tensors;
}

const RENAMED: readonly (readonly [RegExp, string])[] = [
  [/^cls_token$/, 'vit.embeddings.cls_token'],
  [/^pos_embed$/, 'vit.embeddings.position_embeddings'],
  [/^patch_embed\.proj\./, 'vit.embeddings.patch_embeddings.projection.'],
  [/^blocks\.(\d+)\.norm1\./, 'vit.encoder.layer.$1.layernorm_before.'],
  [/^blocks\.(\d+)\.norm2\./, 'vit.encoder.layer.$1.layernorm_after.'],
  [/^blocks\.(\d+)\.attn\.proj\./, 'vit.encoder.layer.$1.attention.output.dense.'],
  [/^blocks\.(\d+)\.mlp\.fc1\./, 'vit.encoder.layer.$1.intermediate.dense.'],
  [/^blocks\.(\d+)\.mlp\.fc2\./, 'vit.encoder.layer.$1.output.dense.'],
  [/^norm\./, 'vit.layernorm.'],
  [/^head\./, 'classifier.'],
];

/** The same weights under Hugging Face names, qkv split. */
function huggingFaceTensors(source: NamedTensors = TENSORS, renamed = RENAMED): NamedTensors {
  const tensors: NamedTensors = new Map();
  for (const [name, tensor] of source) {
    const qkv = /^blocks\.(\d+)\.attn\.qkv\.(weight|bias)$/.exec(name);
    if (qkv !== null) {
      const third = tensor.data.length / 3;
      for (const [index, part] of ['query', 'key', 'value'].entries()) {
        tensors.set(`vit.encoder.layer.${qkv[1]}.attention.attention.${part}.${qkv[2]}`, {
          shape: [SMALL_SHAPE.dim, ...tensor.shape.slice(1)],
          data: tensor.data.slice(index * third, (index + 1) * third),
        });
      }
      continue;
    }
    const rule = renamed.find(([pattern]) => pattern.test(name));
    tensors.set(rule === undefined ? name : name.replace(rule[0], rule[1]), tensor);
  }
  return tensors;
}

const HF_CONFIG = {
  model_type: 'vit',
  hidden_size: SMALL_SHAPE.dim,
  num_attention_heads: SMALL_SHAPE.heads,
  num_hidden_layers: SMALL_SHAPE.depth,
  intermediate_size: SMALL_SHAPE.mlp,
  image_size: 12,
  patch_size: 4,
  layer_norm_eps: 1e-6,
  hidden_act: 'gelu',
  qkv_bias: true,
  id2label: Object.fromEntries(Array.from({ length: 5 }, (_, index) => [String(index), `label ${index}`])),
};
const HF_PROCESSOR = {
  image_processor_type: 'ViTImageProcessor',
  do_resize: true,
  size: { shortest_edge: 13 },
  resample: 3,
  do_center_crop: true,
  crop_size: { height: 12, width: 12 },
  do_rescale: true,
  rescale_factor: 0.00392156862745098,
  do_normalize: true,
  image_mean: [0.485, 0.456, 0.406],
  image_std: [0.229, 0.224, 0.225],
};

function huggingFaceFolder(config: object, processor: object, tensors = huggingFaceTensors()) {
  return {
    name: 'hf',
    files: new Map([
      ['model.safetensors', encode(tensors)],
      ['config.json', jsonBytes(config)],
      ['preprocessor_config.json', jsonBytes(processor)],
    ]),
  };
}

describe('readVit, timm names', () => {
  const weights = readVit(timmFolder(TENSORS, CONFIG));

  it('takes sizes from shapes, the rest from the configuration', () => {
    expect(weights.config).toEqual({
      imageSize: 12,
      patchSize: 4,
      dim: 12,
      depth: 2,
      heads: 3,
      mlpDim: 20,
      layerNormEps: 1e-6,
      classes: 5,
    });
    expect(weights.preprocess).toEqual({
      resize: 13,
      interpolation: 'bicubic',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    });
    expect(weights.labels).toEqual(['label 0', 'label 1', 'label 2', 'label 3', 'label 4']);
    expect(weights.sources.map((source) => source.name)).toEqual(['config.json', 'model.safetensors']);
    expect(weights.sources.every((source) => /^[0-9a-f]{64}$/.test(source.sha256))).toBe(true);
  });

  it('permutes the patch kernel to ky, kx, color', () => {
    const kernel = TENSORS.get('patch_embed.proj.weight')?.data as Float32Array;
    for (const [row, color, ky, kx] of [
      [0, 0, 0, 0],
      [7, 2, 3, 1],
      [11, 1, 0, 3],
    ] as const) {
      expect(weights.patchEmbed.weight.data[row * 48 + (ky * 4 + kx) * 3 + color]).toBe(
        kernel[((row * 3 + color) * 4 + ky) * 4 + kx],
      );
    }
  });

  it('reads bfloat16', () => {
    const folder = timmFolder(TENSORS, CONFIG);
    folder.files.set('model.safetensors', encode(TENSORS, 'BF16'));
    const rounded = readVit(folder);
    const cut = new Float32Array(1);
    const bits = new Uint32Array(cut.buffer);
    cut[0] = TENSORS.get('cls_token')?.data[3] as number;
    bits[0] = (bits[0] as number) & 0xffff0000;
    expect(rounded.classToken.data[3]).toBe(cut[0]);
  });

  it('prefers label descriptions and numbers classes without labels', () => {
    const described = { ...CONFIG, label_descriptions: { 'label 1': 'a tench' } };
    expect(readVit(timmFolder(TENSORS, described)).labels.slice(0, 2)).toEqual(['label 0', 'a tench']);
    const { label_names: _, ...bare } = CONFIG;
    expect(readVit(timmFolder(TENSORS, bare)).labels).toEqual(['0', '1', '2', '3', '4']);
  });
});

describe('readVit, Hugging Face names', () => {
  it('gives the same neutral weights as timm names', () => {
    const { sources: _a, ...timm } = readVit(timmFolder(TENSORS, CONFIG));
    const { sources, ...hf } = readVit(huggingFaceFolder(HF_CONFIG, HF_PROCESSOR));
    expect(hf).toEqual(timm);
    expect(sources).toHaveLength(3);
  });

  it('honors another rescale factor and no normalization', () => {
    const unit = { ...HF_PROCESSOR, rescale_factor: 1 / 127.5, image_mean: [1, 1, 1], image_std: [1, 1, 1] };
    const { preprocess } = readVit(huggingFaceFolder(HF_CONFIG, unit));
    // u8/127.5 - 1 = (u8/255 - 0.5)/0.5
    for (const color of [0, 1, 2]) {
      expect(preprocess.mean[color]).toBeCloseTo(0.5, 12);
      expect(preprocess.std[color]).toBeCloseTo(0.5, 12);
    }
    const bare = { ...HF_PROCESSOR, do_normalize: false };
    expect(readVit(huggingFaceFolder(HF_CONFIG, bare)).preprocess).toMatchObject({ mean: [0, 0, 0], std: [1, 1, 1] });
  });

  it('ignores the pooler, which the classifier does not read', () => {
    const tensors = huggingFaceTensors();
    tensors.set('vit.pooler.dense.weight', { shape: [1], data: Float32Array.of(1) });
    expect(readVit(huggingFaceFolder(HF_CONFIG, HF_PROCESSOR, tensors)).config.depth).toBe(2);
  });

  it.each([
    ['E_MODEL_UNSUPPORTED', 'gelu_new', { ...HF_CONFIG, hidden_act: 'gelu_new' }, HF_PROCESSOR],
    ['E_MODEL_CONFIG', 'qkv_bias is false, but', { ...HF_CONFIG, qkv_bias: false }, HF_PROCESSOR],
    ['E_MODEL_CONFIG', 'image_size is 24, but', { ...HF_CONFIG, image_size: 24 }, HF_PROCESSOR],
    ['E_MODEL_CONFIG', 'num_hidden_layers is 3', { ...HF_CONFIG, num_hidden_layers: 3 }, HF_PROCESSOR],
    ['E_MODEL_CONFIG', 'do not divide', { ...HF_CONFIG, num_attention_heads: 5 }, HF_PROCESSOR],
    ['E_MODEL_CONFIG', 'labels for 5 classes', { ...HF_CONFIG, id2label: { 0: 'a' } }, HF_PROCESSOR],
    ['E_MODEL_UNSUPPORTED', 'resample 1', HF_CONFIG, { ...HF_PROCESSOR, resample: 1 }],
    ['E_MODEL_CONFIG', 'do not fit', HF_CONFIG, { ...HF_PROCESSOR, crop_size: 16 }],
    ['E_MODEL_CONFIG', 'do not fit', HF_CONFIG, { ...HF_PROCESSOR, do_center_crop: false }],
    ['E_MODEL_UNSUPPORTED', 'no square', HF_CONFIG, { ...HF_PROCESSOR, size: { height: 12, width: 16 } }],
    ['E_MODEL_UNSUPPORTED', 'does not resize', HF_CONFIG, { ...HF_PROCESSOR, do_resize: false }],
    ['E_MODEL_CONFIG', 'not positive', HF_CONFIG, { ...HF_PROCESSOR, image_std: [1, 0, 1] }],
  ])('refuses with %s: %s', (code, text, config, processor) => {
    expect(() => readVit(huggingFaceFolder(config, processor))).toThrow(rejects(code, text));
  });
});

describe('readVit, other tokens, norms and layers', () => {
  const read = (tensors: NamedTensors, config: object = CONFIG) => readVit(timmFolder(tensors, config));

  it('puts the distillation token behind the class token and keeps its head', () => {
    const tensors = randomTimmTensors(SMALL_SHAPE, 6, { tokens: 2 });
    const weights = read(tensors);
    expect(weights.config).toMatchObject({ prefixTokens: 2, readout: 'distilled', imageSize: 12 });
    expect(weights.classToken.shape).toEqual([2, 12]);
    expect([...weights.classToken.data.subarray(12)]).toEqual([...(tensors.get('dist_token')?.data ?? [])]);
    expect(weights.positionEmbedding.shape).toEqual([11, 12]);
    expect(weights.distillationHead?.weight.data).toEqual(tensors.get('head_dist.weight')?.data);
  });

  const DEIT: readonly (readonly [RegExp, string])[] = [
    ...RENAMED.slice(0, -1).map(([pattern, name]) => [pattern, name.replace('vit.', 'deit.')] as const),
    [/^dist_token$/, 'deit.embeddings.distillation_token'],
    [/^head\./, 'cls_classifier.'],
    [/^head_dist\./, 'distillation_classifier.'],
  ];
  const deit = (tensors: NamedTensors): NamedTensors =>
    new Map([...huggingFaceTensors(tensors, DEIT)].map(([name, tensor]) => [name.replace(/^vit\./, 'deit.'), tensor]));

  it('reads the two classifiers of DeiTForImageClassificationWithTeacher as timm reads its two heads', () => {
    const tensors = randomTimmTensors(SMALL_SHAPE, 6, { tokens: 2 });
    const { sources: _a, ...timm } = read(tensors);
    const { sources: _b, ...hf } = readVit(huggingFaceFolder(HF_CONFIG, HF_PROCESSOR, deit(tensors)));
    expect(hf).toEqual(timm);
  });

  it('reads the class token alone in DeiTForImageClassification, which has a distillation token too', () => {
    const tensors = deit(randomTimmTensors(SMALL_SHAPE, 6, { tokens: 2 }));
    for (const part of ['weight', 'bias']) {
      tensors.set(`classifier.${part}`, tensors.get(`cls_classifier.${part}`) ?? zeros([0]));
      tensors.delete(`cls_classifier.${part}`);
      tensors.delete(`distillation_classifier.${part}`);
    }
    const weights = readVit(huggingFaceFolder(HF_CONFIG, HF_PROCESSOR, tensors));
    expect(weights.config).toMatchObject({ prefixTokens: 2 });
    expect(weights.config.readout).toBeUndefined();
    expect(weights.distillationHead).toBeUndefined();
  });

  it.each([
    ['mean, then norm', { tokens: 0, norm: 'fc_norm' }, {}, { prefixTokens: 0, readout: 'mean-norm' }],
    ['norm, then mean', { tokens: 0 }, { global_pool: 'avg' }, { prefixTokens: 0, readout: 'norm-mean' }],
    ['mean beside a class token', { norm: 'fc_norm' }, { global_pool: 'avg' }, { readout: 'mean-norm' }],
    ['fc_norm on the class token', { norm: 'fc_norm' }, { model_args: { global_pool: 'token' } }, {}],
  ] as const)('%s', (_, features, config, wanted) => {
    const weights = read(randomTimmTensors(SMALL_SHAPE, 6, features), { ...CONFIG, ...config });
    const { prefixTokens, readout } = weights.config;
    expect(JSON.parse(JSON.stringify({ prefixTokens, readout }))).toEqual(wanted);
  });

  it('gives the class token no position where the checkpoint has none for it', () => {
    const tensors = randomTimmTensors(SMALL_SHAPE, 6, { positioned: false });
    const { positionEmbedding } = read(tensors, { ...CONFIG, model_args: { no_embed_class: true } });
    expect(positionEmbedding.shape).toEqual([10, 12]);
    expect(positionEmbedding.data.subarray(0, 12).every((value) => value === 0)).toBe(true);
    expect(positionEmbedding.data.subarray(12)).toEqual(tensors.get('pos_embed')?.data);
  });

  it.each(['ls', 'gamma'] as const)('folds layer scale (%s) into the layers in front of it', (layerScale) => {
    const tensors = randomTimmTensors(SMALL_SHAPE, 6, { layerScale });
    const get = (name: string): Float32Array => tensors.get(name)?.data ?? new Float32Array(0);
    const { blocks } = read(tensors);
    const gamma = get(layerScale === 'ls' ? 'blocks.1.ls2.gamma' : 'blocks.1.gamma_2');
    const weight = get('blocks.1.mlp.fc2.weight');
    for (const [n, k] of [
      [0, 0],
      [5, 19],
      [11, 7],
    ] as const) {
      const product = Math.fround((weight[n * 20 + k] as number) * (gamma[n] as number));
      expect(blocks[1]?.fc2.weight.data[n * 20 + k]).toBe(product);
      expect(blocks[1]?.fc2.bias.data[n]).toBe(
        Math.fround((get('blocks.1.mlp.fc2.bias')[n] as number) * (gamma[n] as number)),
      );
    }
  });

  it('takes absent biases of query, key or value as zeros', () => {
    const tensors = huggingFaceTensors();
    for (const layer of [0, 1]) tensors.delete(`vit.encoder.layer.${layer}.attention.attention.key.bias`);
    const { qkv_bias: _, ...config } = HF_CONFIG;
    const whole = readVit(huggingFaceFolder(config, HF_PROCESSOR)).blocks[1]?.qkv;
    const partly = readVit(huggingFaceFolder(config, HF_PROCESSOR, tensors)).blocks[1]?.qkv;
    expect(partly?.weight).toEqual(whole?.weight);
    expect([...(partly?.bias.data ?? [])]).toEqual(
      [...(whole?.bias.data ?? [])].map((value, index) => (index >= 12 && index < 24 ? 0 : value)),
    );
    const none = randomTimmTensors(SMALL_SHAPE, 6, { qkvBias: false });
    expect(read(none).blocks[0]?.qkv.bias.data).toEqual(new Float32Array(36));
  });

  it('takes the number of heads from the caller where the configuration is silent', () => {
    const { num_heads: _, ...silent } = CONFIG;
    const folder = timmFolder(TENSORS, silent);
    expect(readVit(folder, { heads: 2 }).config.heads).toBe(2);
    expect(() => readVit(folder, { heads: 5 })).toThrow(rejects('E_MODEL_CONFIG', 'do not divide'));
    expect(() => readVit(timmFolder(TENSORS, CONFIG), { heads: 2 })).toThrow(
      rejects('E_MODEL_CONFIG', 'the configuration says 3'),
    );
  });
});

describe('readVit refuses', () => {
  it.each([
    ['E_MODEL_MISSING_TENSOR', 'blocks.1.mlp.fc2.bias', changed({ 'blocks.1.mlp.fc2.bias': undefined })],
    ['E_MODEL_MISSING_TENSOR', 'head.weight', changed({ 'head.weight': undefined })],
    ['E_MODEL_MISSING_TENSOR', 'first block has none', changed({ 'blocks.0.attn.qkv.bias': undefined })],
    ['E_MODEL_MISSING_TENSOR', 'blocks.1.attn.qkv.bias', changed({ 'blocks.1.attn.qkv.bias': undefined })],
    ['E_MODEL_SHAPE', 'norm.weight', changed({ 'norm.weight': { shape: [3], data: new Float32Array(3) } })],
    ['E_MODEL_SHAPE', 'pos_embed', changed({ pos_embed: zeros([1, 13, 12]) })],
    ['E_MODEL_SHAPE', 'pos_embed', changed({ pos_embed: zeros([10, 12]) })],
    ['E_MODEL_SHAPE', 'class and a distillation', changed({ dist_token: zeros([1, 1, 12]) })],
    [
      'E_MODEL_MISSING_TENSOR',
      'head_dist.weight',
      changed({ dist_token: zeros([1, 1, 12]), pos_embed: zeros([1, 11, 12]) }),
    ],
    ['E_MODEL_MISSING_TENSOR', 'dist_token', changed({ 'head_dist.weight': zeros([5, 12]) })],
    [
      'E_MODEL_MISSING_TENSOR',
      'cls_token',
      changed({ dist_token: zeros([1, 1, 12]), cls_token: undefined, pos_embed: zeros([1, 10, 12]) }),
    ],
    ['E_MODEL_CONFIG', 'nothing says which', changed({ 'fc_norm.weight': zeros([12]) })],
    ['E_MODEL_MISSING_TENSOR', 'ls2.gamma', changed({ 'blocks.0.ls1.gamma': zeros([12]) })],
    ['E_MODEL_UNSUPPORTED', 'no tensor reg_token', changed({ reg_token: zeros([1, 4, 12]) })],
    [
      'E_MODEL_UNKNOWN_ARCHITECTURE',
      'I-ViT',
      changed({ 'head.weight_integer': { shape: [1], data: new Float32Array(1) } }),
    ],
    [
      'E_MODEL_UNKNOWN_ARCHITECTURE',
      'such as conv1.weight; the configuration calls it vit_made_up',
      new Map([['conv1.weight', { shape: [1], data: new Float32Array(1) }]]),
    ],
  ])('%s: %s', (code, text, tensors) => {
    expect(() => readVit(timmFolder(tensors, CONFIG))).toThrow(rejects(code, text));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('E_MODEL_NON_FINITE: %f', (value) => {
    const data = new Float32Array(12).fill(1);
    data[5] = value;
    const tensors = changed({ 'blocks.1.norm2.bias': { shape: [12], data } });
    expect(() => readVit(timmFolder(tensors, CONFIG))).toThrow(
      rejects('E_MODEL_NON_FINITE', `blocks.1.norm2.bias holds ${value} at index 5`),
    );
  });

  it.each([
    ['heads is unknown', { ...CONFIG, num_heads: undefined }],
    ['nothing says how photos', { ...CONFIG, pretrained_cfg: undefined }],
    ['num_classes is 6', { ...CONFIG, num_classes: 6 }],
    ['img_size is 24', { ...CONFIG, model_args: { img_size: 24 } }],
    ['class_token is false', { ...CONFIG, model_args: { class_token: false } }],
    ['no_embed_class is true', { ...CONFIG, model_args: { no_embed_class: true } }],
    ['qkv_bias is false', { ...CONFIG, model_args: { qkv_bias: false } }],
    ['must be a number', { ...CONFIG, layer_norm_eps: 'small' }],
    ['crop_pct is 2', { ...CONFIG, pretrained_cfg: { ...(CONFIG['pretrained_cfg'] as object), crop_pct: 2 } }],
    ['mean and std', { ...CONFIG, pretrained_cfg: {} }],
    [
      'input_size [3,224,224]',
      { ...CONFIG, pretrained_cfg: { ...(CONFIG['pretrained_cfg'] as object), input_size: [3, 224, 224] } },
    ],
    ['no JSON object', [1]],
  ])('E_MODEL_CONFIG: %s', (text, config) => {
    expect(() => readVit(timmFolder(TENSORS, config))).toThrow(rejects('E_MODEL_CONFIG', text));
  });

  it.each([
    ['global_pool map', { ...CONFIG, global_pool: 'map' }],
    ['12x16 is no square', { ...CONFIG, model_args: { img_size: [12, 16] } }],
    ['model_args.qk_norm', { ...CONFIG, model_args: { qk_norm: true } }],
    ['crop_mode squash', { ...CONFIG, pretrained_cfg: { crop_mode: 'squash' } }],
    ['interpolation lanczos', { ...CONFIG, pretrained_cfg: { interpolation: 'lanczos' } }],
  ])('E_MODEL_UNSUPPORTED: %s', (text, config) => {
    expect(() => readVit(timmFolder(TENSORS, config))).toThrow(rejects('E_MODEL_UNSUPPORTED', text));
  });

  it('a folder without weights, broken JSON and integer weights', () => {
    expect(() => readVit({ name: 'empty', files: new Map() })).toThrow(rejects('E_MODEL_FILE', 'model.safetensors'));
    const folder = timmFolder(TENSORS, CONFIG);
    folder.files.set('config.json', new TextEncoder().encode('{"a":'));
    expect(() => readVit(folder)).toThrow(rejects('E_MODEL_CONFIG', 'no UTF-8 JSON'));
  });
});

describe.skipIf(!HAS_SHARED)('readVit, published weights beside the project (3 tests)', () => {
  const read = (name: string) => readVit({ name, files: readFolder(`${SHARED}models/${name}`) });

  it('DeiT-Tiny, timm names', () => {
    const weights = read('deit_tiny_patch16_224');
    expect(weights.config).toEqual({
      imageSize: 224,
      patchSize: 16,
      dim: 192,
      depth: 12,
      heads: 3,
      mlpDim: 768,
      layerNormEps: 1e-6,
      classes: 1000,
    });
    expect(weights.preprocess).toMatchObject({ resize: 256, interpolation: 'bicubic' });
    expect(weights.labels[1]).toBe('goldfish');
  });

  it('DeiT-Tiny, Hugging Face names: the same weights rounded to half', () => {
    const timm = read('deit_tiny_patch16_224');
    const hf = read('deit_tiny_patch16_224_hf');
    expect(hf.config).toEqual(timm.config);
    expect(hf.preprocess).toEqual(timm.preprocess);
    const a = timm.blocks[11]?.qkv.weight.data as Float32Array;
    const b = hf.blocks[11]?.qkv.weight.data as Float32Array;
    expect(b).toHaveLength(a.length);
    // binary16 keeps 11 bits.
    expect(
      a.every((value, index) => Math.abs(value - (b[index] as number)) <= Math.abs(value) * 2 ** -11 + 2 ** -25),
    ).toBe(true);
  });

  it('a small CIFAR-10 ViT', () => {
    const weights = read('cifar10_vit_small');
    expect(weights.config).toMatchObject({ imageSize: 32, patchSize: 4, dim: 128, heads: 4, layerNormEps: 1e-5 });
    expect(weights.preprocess.resize).toBe(32);
  });
});
