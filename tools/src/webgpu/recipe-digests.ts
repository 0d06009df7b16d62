/** Small models as the quantizer makes them, by recipe. Uses nothing of Node. */
import type { Backend } from '@ivit/backend';
import { littleEndianBytes, selfCheckPixels, type ValidatedProgram, validate } from '@ivit/program';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { seededPrograms } from '../determinism/measure.js';

/** Images at once: more than one, and not a power of two. */
const BATCH = 3;

async function digestOf(backend: Backend, program: ValidatedProgram, names: readonly string[]): Promise<string> {
  const executable = await backend.compile(program, { maxBatch: BATCH, outputs: names });
  const images = Array.from({ length: BATCH }, (_, image) => selfCheckPixels(program, image + 1));
  const pixels = Uint8Array.from(images.flatMap((image) => [...image]));
  const outputs = await executable.run(pixels, { batch: BATCH });
  await executable.dispose();
  const hash = sha256.create();
  for (const name of names) {
    const data = outputs[name]?.data;
    if (data === undefined) return `no value ${name}`;
    hash.update(littleEndianBytes(data));
  }
  return bytesToHex(hash.digest());
}

/** What models of every recipe give on a backend, every value kept and the logits alone, as text by name. */
export async function recipeDigests(backend: Backend): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [recipe, program] of await seededPrograms()) {
    const valid = validate(program);
    const values = valid.ops.map((op) => op.result);
    found[`${recipe}: ${values.length} values`] = await digestOf(backend, valid, values);
    found[`${recipe}: logits alone`] = await digestOf(backend, valid, [valid.output]);
  }
  return found;
}
