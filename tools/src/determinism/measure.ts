import { createReferenceBackend } from '@ivit/backend-reference';
import { writeProgram } from '@ivit/formats/program';
import { vitForward } from '@ivit/models';
import { littleEndianBytes, type Program, selfCheckPixels, validate } from '@ivit/program';
import { quantizeVit, type Recipe } from '@ivit/quantize';
import { sha256 as hash } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { seededPhotos, seededVit } from './seeded-vit.js';

const sha256 = (bytes: Uint8Array): string => bytesToHex(hash(bytes));

async function logits(program: Program): Promise<Uint8Array> {
  const executable = await createReferenceBackend().compile(validate(program));
  const output = (await executable.run(selfCheckPixels(program, 1), { batch: 1 }))[program.output];
  await executable.dispose();
  return littleEndianBytes(output?.data ?? new Int32Array(0));
}

/** The seeded model quantized by each recipe. */
export async function seededPrograms(): Promise<Map<Recipe, Program>> {
  const programs = new Map<Recipe, Program>();
  const weights = seededVit(20260);
  const photos = seededPhotos(7, 6, weights.config.imageSize);
  for (const recipe of ['ptq@1', 'accurate@1', 'accurate@2', 'paper@1'] as const) {
    const { program } = await quantizeVit({ weights, photos, backend: createReferenceBackend(), recipe });
    programs.set(recipe, program);
  }
  return programs;
}

/** sha256 of the float logits, and of each recipe's file and its logits. */
export async function measureDeterminism(): Promise<Record<string, string>> {
  const weights = seededVit(20260);
  const [photo] = seededPhotos(8, 1, weights.config.imageSize);
  const float = vitForward(weights, photo?.pixels ?? new Uint8Array(0));
  const view = new DataView(new ArrayBuffer(4 * float.length));
  float.forEach((value, index) => {
    view.setFloat32(4 * index, value, true);
  });
  const found: Record<string, string> = { 'float logits': sha256(new Uint8Array(view.buffer)) };
  for (const [recipe, program] of await seededPrograms()) {
    found[`${recipe} file`] = sha256(writeProgram(program));
    found[`${recipe} logits`] = sha256(await logits(program));
  }
  return found;
}
