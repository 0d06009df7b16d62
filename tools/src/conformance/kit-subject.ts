import type { Backend } from '@ivit/backend';
import { modelDigests } from './model-digests.js';
import { kitTests, PASSED, runKit } from './run-kit.js';

/** One way to set up a backend. */
export interface KitSubject {
  readonly name: string;
  readonly create: () => Backend;
  /** Groups of the conformance suite; all if left out. */
  readonly only?: RegExp;
}

export interface ModelMaterial {
  readonly file: Uint8Array;
  readonly photos: ReadonlyMap<string, Uint8Array>;
}

/** The model's digests and the suite on a subject, as text by name; `kitExpected` says what each must be. */
export async function checkKit(subject: KitSubject, material: ModelMaterial): Promise<Record<string, string>> {
  const { name, create, only } = subject;
  const found: Record<string, string> = {};
  const digests = await modelDigests(create(), material.file, material.photos);
  for (const [key, value] of Object.entries(digests)) found[`${name}: ${key}`] = value;
  for (const [key, value] of Object.entries(await runKit(kitTests(create, only)))) found[`${name}: ${key}`] = value;
  return found;
}

/** What must be found, given the model's digests on the reference backend. */
export function kitExpected(
  { name, create, only }: KitSubject,
  digests: Readonly<Record<string, string>>,
): Record<string, string> {
  const expected: Record<string, string> = {};
  for (const [key, value] of Object.entries(digests)) expected[`${name}: ${key}`] = value;
  for (const key of kitTests(create, only).keys()) expected[`${name}: ${key}`] = PASSED;
  return expected;
}
