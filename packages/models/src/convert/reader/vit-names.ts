import { IvitError } from '@ivit/program';
import type { TensorShelf } from './tensor-shelf.js';

/** Where one family of checkpoints keeps each part of a plain ViT; a part is `NAME.weight` and `NAME.bias`. */
export interface VitNames {
  readonly family: 'timm' | 'huggingface';
  readonly patchEmbed: string;
  readonly classToken: string;
  readonly distillationToken: string;
  readonly positionEmbedding: string;
  readonly block: (index: number) => BlockNames;
  readonly norm: string;
  /** Norm after pooling, which stands in for `norm`; timm only. */
  readonly pooledNorm?: string;
  /** Classifier alone; with a distillation head. */
  readonly head: string;
  readonly distilledHeads: readonly [string, string];
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
  /** Layer scales of the two halves, under each name they go by. */
  readonly layerScales: readonly (readonly [string, string])[];
}

const TIMM: VitNames = {
  family: 'timm',
  patchEmbed: 'patch_embed.proj',
  classToken: 'cls_token',
  distillationToken: 'dist_token',
  positionEmbedding: 'pos_embed',
  block: (index) => ({
    norm1: `blocks.${index}.norm1`,
    qkv: [`blocks.${index}.attn.qkv`],
    proj: `blocks.${index}.attn.proj`,
    norm2: `blocks.${index}.norm2`,
    fc1: `blocks.${index}.mlp.fc1`,
    fc2: `blocks.${index}.mlp.fc2`,
    layerScales: [
      [`blocks.${index}.ls1.gamma`, `blocks.${index}.ls2.gamma`],
      [`blocks.${index}.gamma_1`, `blocks.${index}.gamma_2`],
    ],
  }),
  norm: 'norm',
  pooledNorm: 'fc_norm',
  head: 'head',
  distilledHeads: ['head', 'head_dist'],
  blockPrefix: 'blocks.',
  ignorable: () => false,
};

function huggingFace(prefix: 'vit.' | 'deit.'): VitNames {
  return {
    family: 'huggingface',
    patchEmbed: `${prefix}embeddings.patch_embeddings.projection`,
    classToken: `${prefix}embeddings.cls_token`,
    distillationToken: `${prefix}embeddings.distillation_token`,
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
        layerScales: [],
      };
    },
    norm: `${prefix}layernorm`,
    head: 'classifier',
    distilledHeads: ['cls_classifier', 'distillation_classifier'],
    blockPrefix: `${prefix}encoder.layer.`,
    // Left over from pre-training; the classifier reads the class row itself.
    ignorable: (name) => name.startsWith(`${prefix}pooler.`) || name === `${prefix}embeddings.mask_token`,
  };
}

/** Signs of models that look like a ViT and are something else. */
const OTHERS: readonly { readonly found: (name: string) => boolean; readonly what: string }[] = [
  {
    found: (name) => name.endsWith('.weight_integer'),
    what: 'an I-ViT checkpoint: its weights are integers already',
  },
  {
    found: (name) => name.includes('relative_position_bias_table'),
    what: 'a Swin or BEiT (it has relative position biases)',
  },
];

/**
 * Tells by its tensor names which family a checkpoint belongs to.
 *
 * @param declared What the configuration calls the architecture, for the error.
 * @throws IvitError `E_MODEL_UNKNOWN_ARCHITECTURE`.
 */
export function recognizeVit(shelf: TensorShelf, declared: string | undefined): VitNames {
  const names = [...shelf.tensors.keys()];
  for (const other of OTHERS) {
    const sign = names.find(other.found);
    if (sign !== undefined) {
      throw new IvitError('E_MODEL_UNKNOWN_ARCHITECTURE', `this is ${other.what}, recognized by its tensor ${sign}`, {
        where: shelf.where,
        hint: 'ViT and DeiT classifiers are read, under timm or Hugging Face names.',
      });
    }
  }
  const has = (name: string): boolean => shelf.tensors.has(name);
  for (const candidate of [TIMM, huggingFace('vit.'), huggingFace('deit.')]) {
    // A position embedding over tokens tells a ViT from a Swin under timm names.
    if (has(`${candidate.patchEmbed}.weight`) && has(candidate.positionEmbedding)) return candidate;
  }
  const sample = names.slice(0, 4).join(', ');
  throw new IvitError(
    'E_MODEL_UNKNOWN_ARCHITECTURE',
    `no known architecture: ${names.length} tensors such as ${sample}${declared === undefined ? '' : `; the configuration calls it ${declared}`}`,
    { where: shelf.where, hint: 'ViT and DeiT classifiers are read, under timm or Hugging Face names.' },
  );
}
