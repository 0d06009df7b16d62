import { IvitError } from '@ivit/program';
import { type JsonObject, numberAt, objectAt, sizeAt, squareAt, stringAt, stringsAt } from './json-object.js';
import type { VitNames } from './vit-names.js';

/** Widths whose heads are 64 wide in every published ViT: without a configuration, heads = dim/64 is safe for these. */
const WIDTHS_OF_64_WIDE_HEADS: readonly number[] = [192, 384, 768, 1024];

/** timm `model_args` that only say again what the shapes say. */
const KNOWN_MODEL_ARGS: readonly string[] = [
  'img_size',
  'patch_size',
  'in_chans',
  'num_classes',
  'embed_dim',
  'depth',
  'num_heads',
  'mlp_ratio',
  'qkv_bias',
  'class_token',
  'global_pool',
  'fc_norm',
  'no_embed_class',
  'init_values',
  'dynamic_img_size',
];

function unsupported(what: string, where: string): never {
  throw new IvitError('E_MODEL_UNSUPPORTED', `the configuration asks for ${what}`, {
    where,
    hint: 'ViT and DeiT are supported as published: GELU, norms before the layers, no extras.',
  });
}

/**
 * Refuses configurations whose model computes something else than a ViT although the tensors look the same.
 *
 * @throws IvitError `E_MODEL_UNSUPPORTED`.
 */
export function requirePlainVit(config: JsonObject, names: VitNames): void {
  const { where } = config;
  const activation = stringAt(config, 'hidden_act') ?? stringAt(config, 'act_layer') ?? 'gelu';
  if (activation !== 'gelu') unsupported(`the activation ${activation}`, where);
  const modelArgs = objectAt(config, 'model_args');
  for (const key of modelArgs?.entries.keys() ?? []) {
    if (!KNOWN_MODEL_ARGS.includes(key)) unsupported(`model_args.${key}`, where);
  }
  const architecture = stringAt(config, 'architecture') ?? '';
  if (names.family === 'timm' && architecture.includes('quickgelu')) unsupported('the activation quickgelu', where);
}

/**
 * dim/64 for the widths where that always holds.
 *
 * @throws IvitError `E_MODEL_CONFIG` for any other width.
 */
export function defaultHeads(dim: number, where: string): number {
  if (WIDTHS_OF_64_WIDE_HEADS.includes(dim)) return dim / 64;
  throw new IvitError('E_MODEL_CONFIG', `the number of heads is unknown (dim ${dim}; no tensor tells it)`, {
    where,
    hint: 'Add "num_heads": N to config.json, or pass the number of heads (`heads`, `--heads`).',
  });
}

/**
 * Heads: from the configuration, else from the caller, else dim/64 for the widths where that always holds. No tensor
 * tells.
 *
 * @throws IvitError `E_MODEL_CONFIG`.
 */
export function readHeads(config: JsonObject, dim: number, passed: number | undefined): number {
  const modelArgs = objectAt(config, 'model_args');
  const written =
    sizeAt(config, 'num_heads') ??
    sizeAt(config, 'num_attention_heads') ??
    (modelArgs === undefined ? undefined : sizeAt(modelArgs, 'num_heads'));
  if (written !== undefined && passed !== undefined && written !== passed) {
    throw new IvitError('E_MODEL_CONFIG', `${passed} heads were passed, but the configuration says ${written}`, {
      where: config.where,
      hint: 'Leave the number of heads out, or correct the configuration.',
    });
  }
  const heads = written ?? passed ?? defaultHeads(dim, config.where);
  if (!Number.isInteger(heads) || heads < 1 || dim % heads !== 0) {
    throw new IvitError('E_MODEL_CONFIG', `${heads} heads do not divide the width ${dim}`, {
      where: config.where,
      hint: 'Correct the number of heads.',
    });
  }
  return heads;
}

/** `layer_norm_eps`, or the family's default where it is not written. */
export function readEps(config: JsonObject, names: VitNames): number {
  const eps = numberAt(config, 'layer_norm_eps') ?? (names.family === 'timm' ? 1e-6 : 1e-12);
  if (eps > 0) return eps;
  throw new IvitError('E_MODEL_CONFIG', `layer_norm_eps is ${eps}`, {
    where: config.where,
    hint: 'It must be positive.',
  });
}

/**
 * Compares sizes that the configuration repeats, in itself or in `model_args`, with the shapes.
 *
 * @throws IvitError `E_MODEL_CONFIG`; `E_MODEL_UNSUPPORTED` for sizes of no square.
 */
export function requireSizes(config: JsonObject, sizes: Readonly<Record<string, number>>): void {
  const modelArgs = objectAt(config, 'model_args');
  for (const source of modelArgs === undefined ? [config] : [config, modelArgs]) {
    for (const [key, fromShapes] of Object.entries(sizes)) {
      const declared = squareAt(source, key);
      if (declared !== undefined && declared !== fromShapes) {
        throw new IvitError('E_MODEL_CONFIG', `${key} is ${declared}, but the tensors have ${fromShapes}`, {
          where: source.where,
          hint: /^im(age|g)_size$/.test(key)
            ? 'The position embedding is made for one size: resample it to this one and save the weights, or correct the configuration.'
            : 'Take the configuration that belongs to these weights.',
        });
      }
    }
  }
}

/** Labels by class index: `label_names` (with timm's `label_descriptions`), `id2label`, or the bare indices. */
export function readLabels(config: JsonObject, classes: number): readonly string[] {
  const names = stringsAt(config, 'label_names');
  const byId = objectAt(config, 'id2label');
  if (names !== undefined) {
    if (names.length !== classes) refuseLabels(config, names.length, classes);
    const descriptions = objectAt(config, 'label_descriptions');
    return descriptions === undefined ? names : names.map((name) => stringAt(descriptions, name) ?? name);
  }
  if (byId !== undefined) {
    if (byId.entries.size !== classes) refuseLabels(config, byId.entries.size, classes);
    return Array.from({ length: classes }, (_, index) => {
      const label = stringAt(byId, String(index));
      return label ?? refuseLabels(config, index, classes);
    });
  }
  return Array.from({ length: classes }, (_, index) => String(index));
}

function refuseLabels(config: JsonObject, found: number, classes: number): never {
  throw new IvitError('E_MODEL_CONFIG', `${found} labels for ${classes} classes`, {
    where: config.where,
    hint: 'Take the configuration that belongs to these weights.',
  });
}
