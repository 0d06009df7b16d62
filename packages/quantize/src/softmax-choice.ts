import type { RecipeLogits, VitConfig } from '@ivit/models';
import { polynomialExpTable, shiftExpTable } from '@ivit/nonlinear';
import { fqExpParameters, iExpParameters } from '@ivit/nonlinear/convert';
import type { AttentionScales } from './attention.js';
import { logitScaling } from './attention.js';
import { FINE } from './linear.js';
import type { NonlinearChoice } from './nonlinear-choice.js';
import { powerOfTwo } from './numeric.js';
import { staticScaling } from './scaling.js';

const INT16_MAX = 32767;
const INT32_MAX = 2147483647;
/** Octaves of Shiftmax, as in the paper. */
const SHIFT_OCTAVES = 15;
/**
 * Finest unit of the logits in front of a table, 2^-6. A finer one makes the exponentials larger, and the M // S that
 * `softmax` multiplies by smaller: at 2^-8 it would be 60 for 197 equal keys, and its floor an error of up to 1.6 %.
 */
const FINEST_BITS = 6;
/** Log2 codes take no such factor, so their logits may be finer. */
const FINEST_LOG2_BITS = 8;

/** FQ-ViT's exponential with the most bits at which a row's sum stays below 2^31. */
function fqTable(fractionBits: number, tokens: number): Int32Array {
  const scale = powerOfTwo(-fractionBits);
  let n = 0;
  while (n < 30 && tokens * fqExpParameters(scale, n + 1).c * powerOfTwo(n + 1) <= INT32_MAX) n += 1;
  return polynomialExpTable(fqExpParameters(scale, n));
}

/** Whether whatever lies beyond the table gets probability 0, in 16 bits: (E·(M // S)) >> 16 with the least S there is. */
function endsAtZero(table: Int32Array): boolean {
  const factor = Math.floor(INT32_MAX / (table[0] as number));
  return (table.at(-1) as number) * factor < 65536;
}

/** I-BERT's exponential; where pairs are masked with as many bits more as take its end to 0 (its table has no 0). */
function iExpTable(fractionBits: number, masked: boolean): Int32Array {
  const parameters = iExpParameters(powerOfTwo(-fractionBits));
  let table = polynomialExpTable(parameters);
  for (let n = 1; masked && !endsAtZero(table); n += 1) table = polynomialExpTable({ ...parameters, n });
  return table;
}

function tableOf(softmax: 'i-vit' | 'i-bert' | 'log2', fractionBits: number, { keys, mask }: LogitSite): Int32Array {
  if (softmax === 'log2') return fqTable(fractionBits, keys);
  // Shiftmax ends at -x0, which is 0 against its own E(0) = -x0·2^15.
  if (softmax === 'i-vit') return shiftExpTable(-powerOfTwo(fractionBits), SHIFT_OCTAVES);
  return iExpTable(fractionBits, mask !== undefined);
}

/** What logits are chosen for. */
export interface LogitSite {
  /** Calibrated largest |logit|, masks left out. */
  readonly largest: number;
  /** Of a row. */
  readonly keys: number;
  /** What a masked pair's logit gets; absent = there are none. */
  readonly mask?: number;
}

/**
 * q·k accumulators to int16 logits, and the exponential that reads them. With a table the unit is 2^-F of the logit itself:
 * the finest at which the calibrated maximum fits int16 and no sum of a row's exponentials passes 2^31 - 1.
 *
 * With a mask it holds the masked pairs as well.
 */
export function chooseLogits(
  config: VitConfig,
  scales: AttentionScales,
  site: LogitSite,
  softmax: NonlinearChoice['softmax'],
  where: string,
): RecipeLogits {
  const { largest, keys, mask = 0 } = site;
  if (softmax === undefined || softmax === 'pow2') return logitScaling(config, scales, largest, where);
  let fractionBits = softmax === 'log2' ? FINEST_LOG2_BITS : FINEST_BITS;
  let table = tableOf(softmax, fractionBits, site);
  const fits = (): boolean =>
    (largest - mask) * powerOfTwo(fractionBits) <= INT16_MAX && keys * (table[0] as number) <= INT32_MAX;
  while (fractionBits > 1 && !fits()) {
    fractionBits -= 1;
    table = tableOf(softmax, fractionBits, site);
  }
  const ratios = scales.logits.map((scale) => scale * powerOfTwo(fractionBits));
  const bound = (config.dim / config.heads) * 128 * 128;
  const codes = softmax === 'log2' ? ({ log2: 4 } as const) : {};
  return { scaling: staticScaling(ratios, bound, where), fractionBits, table, ...codes };
}

/** Adds the scaling of logits whose queries are int16 in 1/FINE of the others' units. */
export function withFineQueries(config: VitConfig, logits: RecipeLogits, where: string): RecipeLogits {
  const { m, e } = logits.scaling;
  const ratios = Float64Array.from(m, (multiplier) => (multiplier * powerOfTwo(-e)) / FINE);
  const bound = (config.dim / config.heads) * 32768 * 128;
  return { ...logits, wide: staticScaling(ratios, bound, where) };
}

/** Units of the logits that make 1. */
export function logitUnits({ fractionBits, table }: RecipeLogits): number {
  const units = powerOfTwo(fractionBits);
  return table === undefined ? Math.LOG2E * units : units;
}

/** Real value of one unit of the logits. */
export function logitUnit(logits: RecipeLogits): number {
  return 1 / logitUnits(logits);
}
