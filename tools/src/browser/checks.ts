import { decodeImage, type ImageError, type Pixels, preprocess } from '@ivit/image';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { loadModel } from 'ivit';
import { measureDeterminism } from '../determinism/measure.js';

/** What is compared between engines: paths below the repository's root, read by the caller. */
export interface Material {
  readonly images: readonly string[];
  readonly photos: readonly string[];
  readonly model: string;
}

const CROP = { resize: 40, interpolation: 'bicubic', crop: { height: 32, width: 32 } } as const;

async function decoded(bytes: Uint8Array): Promise<string> {
  let image: Pixels;
  try {
    image = await decodeImage(bytes);
  } catch (error) {
    // A refusal has to be the same everywhere, too.
    return (error as ImageError).code;
  }
  const cropped = preprocess(image, CROP);
  return `${image.width}x${image.height} ${bytesToHex(sha256(image.data))} ${bytesToHex(sha256(cropped))}`;
}

/**
 * Everything that has to be the same in every engine, as text by name: pixels of every image, answers and receipts of
 * the built-in model, and the file that the quantizer makes of a small model. Uses nothing of Node.
 */
export async function allChecks(
  material: Material,
  read: (path: string) => Promise<Uint8Array>,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const path of material.images) found[`pixels of ${path}`] = await decoded(await read(path));
  const model = await loadModel(await read(material.model));
  for (const path of material.photos) {
    const photo = await read(path);
    found[`answers for ${path}`] = JSON.stringify(await model.classify(photo, { topK: 10 }));
    const [result] = await model.run([photo], { outputs: ['logits', 'embedding'] });
    found[`receipt of ${path}`] = JSON.stringify(result?.receipt);
    found[`embedding of ${path}`] = String(result?.outputs['embedding']?.data);
  }
  await model.dispose();
  for (const [name, digest] of Object.entries(await measureDeterminism())) found[`convert time: ${name}`] = digest;
  return found;
}
