import { readSafetensors, type TensorEntry } from '@ivit/formats/safetensors';
import { readTorch } from '@ivit/formats/torch';
import { IvitError, type Program } from '@ivit/program';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { VitPreprocess } from '../../vit/types.js';
import { EMPTY_OBJECT, type JsonObject, objectAt, parseJsonObject, sizeAt } from '../reader/json-object.js';
import { readHeads, readLabels } from '../reader/vit-config.js';
import { readTimmPreprocess } from '../reader/vit-preprocess.js';
import { buildPaperVit } from './from-state-dict.js';
import { buildPaperSwin } from './swin-from-state-dict.js';

export interface PaperCheckpointOptions {
  /** What errors and the provenance call the checkpoint. */
  readonly name: string;
  /** Attention heads of a ViT, where the configuration does not tell and the width does not. */
  readonly heads?: number;
  /** Bytes of a JSON file: heads, labels and preprocessing under timm's names. */
  readonly config?: { readonly name: string; readonly bytes: Uint8Array };
  /** Key of the state dict in the checkpoint, where it is none of the usual ones. */
  readonly key?: string;
}

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** How I-ViT's training script prepares photos: shorter side to 256/224 of the input, bicubic; up to 32 px as they are. */
function trainingPreprocess(imageSize: number): VitPreprocess {
  const resize = imageSize > 32 ? Math.floor((256 * imageSize) / 224) : imageSize;
  return { resize, interpolation: 'bicubic', ...IMAGENET };
}

function preprocessOf(config: JsonObject | undefined, imageSize: number): VitPreprocess {
  const pretrained = config === undefined ? undefined : (objectAt(config, 'pretrained_cfg') ?? config);
  return pretrained?.entries.has('mean') ? readTimmPreprocess(pretrained, imageSize) : trainingPreprocess(imageSize);
}

function isSafetensors(bytes: Uint8Array): boolean {
  return bytes[8] === 0x7b && bytes[7] === 0 && bytes[6] === 0;
}

/** Input side of a ViT: patches by the rows of the position embedding. */
function vitImageSize(tensors: ReadonlyMap<string, TensorEntry>): number {
  const rows = tensors.get('pos_embed')?.shape[1] ?? 1;
  const patch = tensors.get('patch_embed.proj.weight_integer')?.shape[2] ?? 1;
  return Math.floor(Math.sqrt(Math.max(rows - 1, 1)) + 0.5) * patch;
}

function labelsOf(config: JsonObject | undefined, classes: number) {
  const named = config !== undefined && (config.entries.has('label_names') || config.entries.has('id2label'));
  return named ? { labels: readLabels(config, classes) } : {};
}

function buildProgram(
  tensors: ReadonlyMap<string, TensorEntry>,
  config: JsonObject | undefined,
  options: PaperCheckpointOptions,
): Program {
  const where = options.name;
  const classes = tensors.get('head.weight_integer')?.shape[0] ?? 0;
  if (tensors.has('pos_embed')) {
    const dim = tensors.get('patch_embed.proj.weight_integer')?.shape[0] ?? 1;
    const heads = config === undefined ? options.heads : readHeads(config, dim, options.heads);
    const preprocess = preprocessOf(config, vitImageSize(tensors));
    const told = heads === undefined ? {} : { heads };
    return buildPaperVit(tensors, { where, preprocess, ...told, ...labelsOf(config, classes) });
  }
  const imageSize = config === undefined ? undefined : (sizeAt(config, 'img_size') ?? sizeAt(config, 'image_size'));
  const told = imageSize === undefined ? {} : { imageSize };
  const build = (preprocess: VitPreprocess): Program =>
    buildPaperSwin(tensors, { where, preprocess, ...told, ...labelsOf(config, classes) });
  // A Swin's masks tell its input side, which the preprocessing must fit: the program says it.
  const side = build(trainingPreprocess(imageSize ?? 224)).values['pixels']?.shape[0] ?? 224;
  return build(preprocessOf(config, side));
}

/**
 * The paper's program from a checkpoint of I-ViT's code: what `torch.save` wrote (the bare state dict, or `{'model': …}`), or
 * a safetensors file of the same state dict; ViT, DeiT or Swin by its tensor names. Scales are the checkpoint's
 * `act_scaling_factor`s: the ranges that made them are not in it.
 *
 * @throws IvitError as `buildPaperVit`, `buildPaperSwin`, `readTorch` and `readSafetensors`; `E_MODEL_CONFIG` for a bad
 * configuration; `E_MODEL_UNKNOWN_ARCHITECTURE` for a float checkpoint.
 */
export function readPaperCheckpoint(bytes: Uint8Array, options: PaperCheckpointOptions): Program {
  const where = options.name;
  const { tensors } = isSafetensors(bytes)
    ? readSafetensors(bytes, { where })
    : readTorch(bytes, { where, ...(options.key === undefined ? {} : { key: options.key }) });
  if (!tensors.has('patch_embed.proj.weight_integer')) {
    throw new IvitError(
      'E_MODEL_UNKNOWN_ARCHITECTURE',
      'this is no checkpoint of I-ViT: there is no patch_embed.proj.weight_integer',
      {
        where,
        hint: 'A float checkpoint is made into integers by "ivit quantize".',
      },
    );
  }
  const given = options.config;
  const config = given === undefined ? undefined : parseJsonObject(given.bytes, given.name);
  const inner = config === undefined ? undefined : (objectAt(config, 'config') ?? EMPTY_OBJECT);
  const told = inner === undefined || inner.entries.size === 0 ? config : inner;
  const program = buildProgram(tensors, told, options);
  const sources = [{ name: where, sha256: bytesToHex(sha256(bytes)) }];
  return { ...program, provenance: { ...program.provenance, sources } };
}
