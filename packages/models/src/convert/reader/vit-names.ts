import { IvitError } from '@ivit/program';
import type { TensorShelf } from './tensor-shelf.js';

/** Where one family of checkpoints keeps each part of a plain ViT; a part is `NAME.weight` and `NAME.bias`. */
export interface VitNames {
  readonly family: 'timm' | 'huggingface';
  readonly patchEmbed: string;
  readonly classToken: string;
  readonly positionEmbedding: string;
  readonly block: (index: number) => BlockNames;
  readonly norm: string;
  readonly head: string;
  /** Start of every block's tensor names, for counting the blocks. */
  readonly blockPrefix: string;
  /** Tensors that the logits do not depend on. */
  readonly ignorable: (name: string) => boolean;
}

export interface BlockNames {
  readonly norm1: string;
  /** One stacked layer, or query, key and value. */
  readonly qkv: readonly [string] | readonly [string, string, string];
  readonly proj: string;
  readonly norm2: string;
  readonly fc1: string;
  readonly fc2: string;
}

const TIMM: VitNames = {
  family: 'timm',
  patchEmbed: 'patch_embed.proj',
  classToken: 'cls_token',
  positionEmbedding: 'pos_embed',
  block: (index) => ({
    norm1: `blocks.${index}.norm1`,
    qkv: [`blocks.${index}.attn.qkv`],
    proj: `blocks.${index}.attn.proj`,
    norm2: `blocks.${index}.norm2`,
    fc1: `blocks.${index}.mlp.fc1`,
    fc2: `blocks.${index}.mlp.fc2`,
  }),
  norm: 'norm',
  head: 'head',
  blockPrefix: 'blocks.',
  ignorable: () => false,
};

function huggingFace(prefix: 'vit.' | 'deit.'): VitNames {
  return {
    family: 'huggingface',
    patchEmbed: `${prefix}embeddings.patch_embeddings.projection`,
    classToken: `${prefix}embeddings.cls_token`,
    positionEmbedding: `${prefix}embeddings.position_embeddings`,
    block: (index) => {
      const layer = `${prefix}encoder.layer.${index}`;
      const attention = `${layer}.attention.attention`;
      return {
        norm1: `${layer}.layernorm_before`,
        qkv: [`${attention}.query`, `${attention}.key`, `${attention}.value`],
        proj: `${layer}.attention.output.dense`,
        norm2: `${layer}.layernorm_after`,
        fc1: `${layer}.intermediate.dense`,
        fc2: `${layer}.output.dense`,
      };
    },
    norm: `${prefix}layernorm`,
    head: 'classifier',
    blockPrefix: `${prefix}encoder.layer.`,
    // Left over from pre-training; the classifier reads the class row itself.
    ignorable: (name) => name.startsWith(`${prefix}pooler.`) || name === `${prefix}embeddings.mask_token`,
  };
}

/** Signs of models that look like a ViT and are something else. */
const OTHERS: readonly { readonly found: (name: string) => boolean; readonly what: string; readonly code: string }[] = [
  {
    found: (name) =>
      name === 'dist_token' || name === 'deit.embeddings.distillation_token' || /^head_dist\./.test(name),
    what: 'a distilled DeiT (it has a distillation token), which is not supported yet',
    code: 'E_MODEL_DISTILLED',
  },
  {
    found: (name) => name.endsWith('.weight_integer'),
    what: 'an I-ViT checkpoint: its weights are integers already',
    code: 'E_MODEL_UNKNOWN_ARCHITECTURE',
  },
  {
    found: (name) => name.includes('relative_position_bias_table'),
    what: 'a Swin or BEiT (it has relative position biases)',
    code: 'E_MODEL_UNKNOWN_ARCHITECTURE',
  },
  {
    found: (name) => /\.(ls1|ls2|layer_scale1|layer_scale2)\.|\.gamma_[12]$/.test(name),
    what: 'a ViT with layer scale',
    code: 'E_MODEL_UNSUPPORTED',
  },
];

/**
 * Tells by its tensor names which family a checkpoint belongs to.
 *
 * @param declared What the configuration calls the architecture, for the error.
 * @throws IvitError `E_MODEL_UNKNOWN_ARCHITECTURE`, `E_MODEL_DISTILLED`, `E_MODEL_UNSUPPORTED`.
 */
export function recognizeVit(shelf: TensorShelf, declared: string | undefined): VitNames {
  const names = [...shelf.tensors.keys()];
  for (const other of OTHERS) {
    const sign = names.find(other.found);
    if (sign !== undefined) {
      throw new IvitError(other.code, `this is ${other.what}, recognized by its tensor ${sign}`, {
        where: shelf.where,
        hint: 'Plain ViT and DeiT classifiers are read, under timm or Hugging Face names.',
      });
    }
  }
  const has = (name: string): boolean => shelf.tensors.has(name);
  for (const candidate of [TIMM, huggingFace('vit.'), huggingFace('deit.')]) {
    if (!has(`${candidate.patchEmbed}.weight`)) continue;
    if (has(candidate.classToken)) return candidate;
    throw new IvitError(
      'E_MODEL_UNSUPPORTED',
      `a ViT without class token: there is no tensor ${candidate.classToken}`,
      {
        where: shelf.where,
        hint: 'Models that average their tokens are not supported.',
      },
    );
  }
  const sample = names.slice(0, 4).join(', ');
  throw new IvitError(
    'E_MODEL_UNKNOWN_ARCHITECTURE',
    `no known architecture: ${names.length} tensors such as ${sample}${declared === undefined ? '' : `; the configuration calls it ${declared}`}`,
    { where: shelf.where, hint: 'Plain ViT and DeiT classifiers are read, under timm or Hugging Face names.' },
  );
}
