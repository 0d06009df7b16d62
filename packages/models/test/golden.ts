import { createReferenceBackend } from '@ivit/backend-reference';
import { type Program, validate } from '@ivit/program';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { expect } from 'vitest';
import type { TraceHash } from './vectors.js';

/** sha256 over all images' elements as little-endian int64. */
function hashInt64(parts: readonly ArrayLike<number>[]): string {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const words = new Int32Array(2 * length);
  let at = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 1, at += 2) {
      const value = part[i] as number;
      words[at] = value;
      words[at + 1] = value < 0 ? -1 : 0;
    }
  }
  return bytesToHex(sha256(new Uint8Array(words.buffer)));
}

/** Runs images one by one and checks every traced value and all raw logits: no difference allowed. */
export async function compareRun(
  program: Program,
  pixels: Uint8Array,
  hashes: ReadonlyMap<string, TraceHash>,
  logits: readonly number[],
): Promise<{ values: number; logits: number }> {
  const validated = validate(program);
  const names = [...hashes.keys()];
  for (const name of names) expect(Object.keys(program.values)).toContain(name);
  const executable = await createReferenceBackend().compile(validated, { outputs: [...names, 'logits'] });
  const size = program.values['pixels']?.shape.reduce((product, side) => product * side, 1) ?? 0;
  const count = pixels.length / size;
  const parts = new Map<string, ArrayLike<number>[]>(names.map((name) => [name, []]));
  for (let image = 0; image < count; image += 1) {
    const outputs = await executable.run(pixels.subarray(image * size, (image + 1) * size), { batch: 1 });
    for (const name of names) parts.get(name)?.push(outputs[name]?.data ?? []);
  }
  await executable.dispose();
  const different = names.filter((name) => hashInt64(parts.get(name) ?? []) !== hashes.get(name)?.sha256_i64le);
  expect(different).toEqual([]);
  const head = (parts.get('head') ?? []).flatMap((part) => Array.from(part));
  expect(head).toHaveLength(logits.length);
  expect(head.filter((value, index) => value !== logits[index])).toEqual([]);
  return { values: names.length, logits: head.length };
}
