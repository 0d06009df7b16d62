import type { Backend } from '@ivit/backend';
import { littleEndianBytes } from '@ivit/program';
import { createModel, type RunResult } from '@ivit/runtime';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** sha256 over the named values, one after the other. */
function digestOf(result: RunResult | undefined, values: readonly string[]): string {
  const hash = sha256.create();
  for (const value of values) {
    const data = result?.outputs[value]?.data;
    if (data === undefined) return `no value ${value}`;
    hash.update(littleEndianBytes(data));
  }
  return bytesToHex(hash.digest());
}

/**
 * What a model gives on a backend, as text by name: its self-check, and for each photo the receipt and every value, run by
 * itself with every value kept, and in a batch with the logits alone. Uses nothing of Node.
 */
export async function modelDigests(
  backend: Backend,
  file: Uint8Array,
  photos: ReadonlyMap<string, Uint8Array>,
): Promise<Record<string, string>> {
  const model = await createModel({ program: file, backends: [backend] });
  const values = model.program.ops.map((op) => op.result);
  const found: Record<string, string> = { 'self-check': model.info.selfCheck };
  const together = await model.run([...photos.values()]);
  for (const [index, [name, photo]] of [...photos].entries()) {
    const [kept] = await model.run([photo], { outputs: values });
    found[`${name}: receipt`] = JSON.stringify(kept?.receipt);
    found[`${name}: ${values.length} values`] = digestOf(kept, values);
    found[`${name}: receipt in a batch, logits alone`] = JSON.stringify(together[index]?.receipt);
  }
  await model.dispose();
  return found;
}
