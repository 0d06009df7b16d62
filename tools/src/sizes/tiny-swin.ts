import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, type TensorEntry, toFloat32, writeSafetensors } from '@ivit/formats/safetensors';
import { readSwin, type SwinWeights } from '@ivit/models';

/** The tiny Swin of the golden vectors as a float model: its weights, images, and torch's logits of one. */
export interface TinySwin {
  readonly weights: SwinWeights;
  readonly image: Uint8Array;
  /** Of `image`, float32, from the original code before quantization. */
  readonly logits: Float32Array;
  /** 40 images. */
  readonly calibration: readonly Uint8Array[];
}

/** What the float model has of an I-ViT state dict: not its integers and scales. */
function isFloatModel(name: string): boolean {
  return /\.(weight|bias|relative_position_bias_table|relative_position_index|attn_mask)$/.test(name);
}

function entryOf(tensors: ReadonlyMap<string, TensorEntry>, name: string): TensorEntry {
  const entry = tensors.get(name);
  if (entry === undefined) throw new Error(`the vectors have no ${name}`);
  return entry;
}

/** @param folder `vectors/ivit/tiny_swin`. */
export function readTinySwin(folder: string): TinySwin {
  const read = (file: string) =>
    readSafetensors(new Uint8Array(readFileSync(join(folder, file))), { where: file }).tensors;
  const kept = [...read('state_dict.safetensors')].filter(([name]) => isFloatModel(name));
  const config = {
    pretrained_cfg: { input_size: [3, 32, 32], crop_pct: 1, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  };
  const files = new Map([
    ['model.safetensors', writeSafetensors(kept.map(([name, entry]) => ({ ...entry, name })))],
    ['config.json', new TextEncoder().encode(JSON.stringify(config))],
  ]);
  const vectors = read('vectors.safetensors');
  const { bytes } = entryOf(vectors, 'calib_images_u8');
  const size = 32 * 32 * 3;
  return {
    weights: readSwin({ name: 'tiny_swin', files }),
    image: new Uint8Array(entryOf(vectors, 'images_u8').bytes),
    logits: toFloat32(entryOf(vectors, 'logits_float_model')),
    calibration: Array.from({ length: bytes.length / size }, (_, i) => bytes.slice(i * size, (i + 1) * size)),
  };
}
