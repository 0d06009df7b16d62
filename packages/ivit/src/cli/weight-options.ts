import { readFile } from 'node:fs/promises';
import { IvitError } from '@ivit/program';
import type { WeightBits } from '@ivit/quantize';
import { readError } from '../node/errors.js';
import { failUsage } from './usage.js';

/** More than any list of layers. */
const MAX_BYTES = 1_000_000;

/**
 * `--weight-bits N` or a JSON file of layers, `{"blocks": 6, "fc2": 4, "blocks.0.qkv": 8}`.
 *
 * @throws E_READ, E_WEIGHT_BITS
 */
export async function readWeightBits(text: string | undefined): Promise<WeightBits | undefined> {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const bytes = await readFile(text).catch((error: unknown) => {
    throw readError(error, text);
  });
  const fail = (message: string, cause?: unknown): never => {
    const hint = 'It must hold one JSON object of layers and bits, such as {"blocks": 6, "fc2": 4}.';
    throw new IvitError('E_WEIGHT_BITS', message, { where: text, hint, ...(cause === undefined ? {} : { cause }) });
  };
  if (bytes.length > MAX_BYTES) return fail(`the file has ${bytes.length} bytes`);
  let tree: unknown;
  try {
    tree = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    return fail('the file is no JSON', error);
  }
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return fail('the JSON is no object');
  const entries = Object.entries(tree).map(([layer, bits]: [string, unknown]) => {
    return [layer, typeof bits === 'number' ? bits : fail(`'${layer}' has no number of bits`)] as const;
  });
  return Object.fromEntries(entries);
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1_000, m: 1_000_000, g: 1_000_000_000 };

/** `--size-budget 4000000`, `4MB`, `3.5 MB` (1 MB = 1,000,000 bytes). @throws E_USAGE */
export function readSizeBudget(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?)\s*(?:([kmg])?b)?$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN));
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    failUsage(`--size-budget must be a number of bytes such as 4000000 or 4MB, not "${text}"`);
  }
  return bytes;
}
