import type { Backend } from '@ivit/backend';
import { createRandom } from '@ivit/backend-testkit';
import { littleEndianBytes, type ValidatedProgram } from '@ivit/program';
import { elementCount } from '@ivit/tensor';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** What one backend gives for some images. */
export interface BackendLogits {
  readonly name: string;
  readonly logits: Int32Array;
  /** Compiling, and running once. */
  readonly compileMs: number;
  readonly runMs: number;
}

/** Pictures of a few large areas and some noise, seeded, one after the other. */
export function seededImages(program: ValidatedProgram, seed: number, count: number): Uint8Array {
  const shape = program.values[program.input]?.shape ?? [];
  const size = elementCount(shape);
  const side = shape[1] ?? 1;
  const random = createRandom(seed);
  const pixels = new Uint8Array(size * count);
  for (let image = 0; image < count; image += 1) {
    const [red, green, blue, edge] = random.list(4, 0, 255) as [number, number, number, number];
    for (let i = 0; i < size; i += 1) {
      const bright = (Math.floor(i / 3) % side) * 256 < edge * side ? [red, green, blue] : [blue, red, green];
      pixels[image * size + i] = Math.min(255, Math.max(0, (bright[i % 3] as number) + random.integer(-20, 20)));
    }
  }
  return pixels;
}

export async function logitsOf(
  name: string,
  backend: Backend,
  program: ValidatedProgram,
  pixels: Uint8Array,
  batch: number,
): Promise<BackendLogits> {
  const started = performance.now();
  const executable = await backend.compile(program, { maxBatch: batch });
  try {
    const compiled = performance.now();
    const output = (await executable.run(pixels, { batch }))[program.output];
    const logits = Int32Array.from(output?.data ?? []);
    return { name, logits, compileMs: compiled - started, runMs: performance.now() - compiled };
  } finally {
    await executable.dispose();
  }
}

/** Index of the first logit that differs, or undefined. */
export function firstDifference(a: Int32Array, b: Int32Array): number | undefined {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  const index = a.findIndex((value, i) => value !== b[i]);
  return index < 0 ? undefined : index;
}

export function logitsDigest(logits: Int32Array): string {
  return bytesToHex(sha256(littleEndianBytes(logits)));
}
