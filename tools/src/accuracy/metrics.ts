/** What both models said about one photo. Logits as real numbers in any unit of their own scale. */
export interface Scored {
  readonly label: number;
  readonly float: Float32Array;
  readonly integer: Float64Array;
}

/** A measured figure and its standard error. */
export interface Estimate {
  readonly value: number;
  readonly error: number;
}

export interface Metrics {
  readonly images: number;
  readonly floatTop1: Estimate;
  readonly intTop1: Estimate;
  readonly floatTop5: Estimate;
  readonly intTop5: Estimate;
  /** Same best class. */
  readonly agreement: Estimate;
  /** Signal to noise of the integer logits, dB: 10·log10(Σ|f|² / Σ|f-i|²), each image's logits centered. */
  readonly sqnr: Estimate;
}

/** Position of a class when logits are sorted from the largest, ties to the lower index. */
export function rankOf(logits: ArrayLike<number>, label: number): number {
  const own = logits[label] as number;
  let rank = 0;
  for (let index = 0; index < logits.length; index += 1) {
    const other = logits[index] as number;
    if (other > own || (other === own && index < label)) rank += 1;
  }
  return rank;
}

export function argmax(logits: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < logits.length; index += 1) {
    if ((logits[index] as number) > (logits[best] as number)) best = index;
  }
  return best;
}

/** A share and its binomial standard error. */
function share(hits: number, count: number): Estimate {
  const value = hits / count;
  return { value, error: Math.sqrt((value * (1 - value)) / count) };
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index += 1) sum += values[index] as number;
  return sum / values.length;
}

/** Signal and noise power of one image's centered logits. */
export function powers(float: ArrayLike<number>, integer: ArrayLike<number>): { signal: number; noise: number } {
  const floatMean = mean(float);
  const integerMean = mean(integer);
  let signal = 0;
  let noise = 0;
  for (let index = 0; index < float.length; index += 1) {
    const reference = (float[index] as number) - floatMean;
    const difference = reference - ((integer[index] as number) - integerMean);
    signal += reference * reference;
    noise += difference * difference;
  }
  return { signal, noise };
}

const decibels = (signal: number, noise: number): number => 10 * Math.log10(signal / noise);

/** SQNR over all images; the standard error is the jackknife's, leaving out one image at a time. */
function sqnr(scored: readonly Scored[]): Estimate {
  const all = scored.map((one) => powers(one.float, one.integer));
  const signal = all.reduce((sum, one) => sum + one.signal, 0);
  const noise = all.reduce((sum, one) => sum + one.noise, 0);
  const without = all.map((one) => decibels(signal - one.signal, noise - one.noise));
  const center = mean(without);
  const spread = without.reduce((sum, value) => sum + (value - center) ** 2, 0);
  return { value: decibels(signal, noise), error: Math.sqrt((spread * (all.length - 1)) / all.length) };
}

/** @throws RangeError without a photo */
export function measure(scored: readonly Scored[]): Metrics {
  const count = scored.length;
  if (count === 0) throw new RangeError('no photos to measure');
  const hits = (test: (one: Scored) => boolean): Estimate => share(scored.filter(test).length, count);
  return {
    images: count,
    floatTop1: hits((one) => rankOf(one.float, one.label) < 1),
    intTop1: hits((one) => rankOf(one.integer, one.label) < 1),
    floatTop5: hits((one) => rankOf(one.float, one.label) < 5),
    intTop5: hits((one) => rankOf(one.integer, one.label) < 5),
    agreement: hits((one) => argmax(one.float) === argmax(one.integer)),
    sqnr: sqnr(scored),
  };
}
