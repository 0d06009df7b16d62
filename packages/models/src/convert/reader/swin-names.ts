import { IvitError } from '@ivit/program';
import type { TensorShelf } from './tensor-shelf.js';

/** Modules of one Swin block. */
export interface SwinBlockNames {
  readonly norm1: string;
  /** One stacked layer, or query, key and value. */
  readonly qkv: readonly [string] | readonly [string, string, string];
  /** A tensor, not a module. */
  readonly positionBias: string;
  readonly proj: string;
  readonly norm2: string;
  readonly fc1: string;
  readonly fc2: string;
}

/** Where one family of checkpoints keeps each part of a Swin. */
export interface SwinNames {
  readonly family: 'timm' | 'huggingface';
  readonly patchEmbed: string;
  readonly patchNorm: string;
  readonly block: (stage: number, block: number) => SwinBlockNames;
  /** Merging after a stage, under each name it goes by. */
  readonly merging: (stage: number) => readonly string[];
  /** Norm and reduction inside it. */
  readonly norm: string;
  /** Classifier, under each name it goes by. */
  readonly heads: readonly string[];
  /** A layer's name up to its block number, for counting. */
  readonly blockPattern: RegExp;
  /** Tables that are computed again. */
  readonly ignorable: (name: string) => boolean;
}

const TIMM: SwinNames = {
  family: 'timm',
  patchEmbed: 'patch_embed.proj',
  patchNorm: 'patch_embed.norm',
  block: (stage, block) => {
    const name = `layers.${stage}.blocks.${block}`;
    return {
      norm1: `${name}.norm1`,
      qkv: [`${name}.attn.qkv`],
      positionBias: `${name}.attn.relative_position_bias_table`,
      proj: `${name}.attn.proj`,
      norm2: `${name}.norm2`,
      fc1: `${name}.mlp.fc1`,
      fc2: `${name}.mlp.fc2`,
    };
  },
  // At the end of its stage in the original code and timm before 0.9, at the start of the next one since.
  merging: (stage) => [`layers.${stage}.downsample`, `layers.${stage + 1}.downsample`],
  norm: 'norm',
  heads: ['head.fc', 'head'],
  blockPattern: /^layers\.(\d{1,3})\.blocks\.(\d{1,3})\./,
  ignorable: (name) => /^layers\.\d+\.blocks\.\d+\.(attn\.relative_position_index|attn_mask)$/.test(name),
};

const HUGGING_FACE: SwinNames = {
  family: 'huggingface',
  patchEmbed: 'swin.embeddings.patch_embeddings.projection',
  patchNorm: 'swin.embeddings.norm',
  block: (stage, block) => {
    const name = `swin.encoder.layers.${stage}.blocks.${block}`;
    const attention = `${name}.attention.self`;
    return {
      norm1: `${name}.layernorm_before`,
      qkv: [`${attention}.query`, `${attention}.key`, `${attention}.value`],
      positionBias: `${attention}.relative_position_bias_table`,
      proj: `${name}.attention.output.dense`,
      norm2: `${name}.layernorm_after`,
      fc1: `${name}.intermediate.dense`,
      fc2: `${name}.output.dense`,
    };
  },
  merging: (stage) => [`swin.encoder.layers.${stage}.downsample`],
  norm: 'swin.layernorm',
  heads: ['classifier'],
  blockPattern: /^swin\.encoder\.layers\.(\d{1,3})\.blocks\.(\d{1,3})\./,
  ignorable: (name) =>
    name === 'swin.embeddings.mask_token' ||
    /^swin\.encoder\.layers\.\d+\.blocks\.\d+\.attention\.self\.relative_position_index$/.test(name),
};

/** Whether tensor names look like a Swin's: windows have a table of relative position biases. */
export function looksLikeSwin(names: Iterable<string>): boolean {
  for (const name of names) {
    if (/layers\.\d+\.blocks\.\d+\..*\.relative_position_bias_table$/.test(name)) return true;
  }
  return false;
}

/**
 * @throws IvitError `E_MODEL_UNKNOWN_ARCHITECTURE`.
 */
export function recognizeSwin(shelf: TensorShelf): SwinNames {
  const integer = [...shelf.tensors.keys()].find((name) => name.endsWith('.weight_integer'));
  if (integer !== undefined) {
    throw new IvitError('E_MODEL_UNKNOWN_ARCHITECTURE', `this is an I-ViT checkpoint, recognized by ${integer}`, {
      where: shelf.where,
      hint: 'Its weights are integers already: import it instead of quantizing it.',
    });
  }
  for (const names of [TIMM, HUGGING_FACE]) {
    if (shelf.tensors.has(`${names.patchEmbed}.weight`) && shelf.tensors.has(names.block(0, 0).positionBias)) {
      return names;
    }
  }
  throw new IvitError('E_MODEL_UNKNOWN_ARCHITECTURE', 'no Swin under names that are known', {
    where: shelf.where,
    hint: 'Swin classifiers are read, under timm or Hugging Face names.',
  });
}
