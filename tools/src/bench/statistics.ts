/** What ran: `ivit` is ours, the others are the peers. */
export type Engine = 'ivit' | 'ort-web' | 'ort-node' | 'ort-webgpu';
/** What the arithmetic is: ours is integers only; the peers' int8 keeps floats between the products. */
export type Precision = 'integer' | 'int8' | 'fp32' | 'fp16';

/** One variant in one place, all times in milliseconds per call (a call is one batch). */
export interface Row {
  readonly environment: string;
  readonly threads: number;
  readonly model: string;
  readonly batch: number;
  readonly engine: Engine;
  readonly precision: Precision;
  readonly variant: string;
  readonly min: number;
  readonly median: number;
  /** Every recorded call, in order. */
  readonly runs: readonly number[];
}

/** Median; of an even number of values the mean of the middle two. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function summarize(values: readonly number[]): { readonly min: number; readonly median: number } {
  return { min: values.length === 0 ? Number.NaN : Math.min(...values), median: median(values) };
}

/** Where something was measured: rows are compared only within one place. */
export interface Place {
  readonly environment: string;
  readonly threads: number;
  readonly model: string;
  readonly batch: number;
}

function within(row: Row, place: Place): boolean {
  const { environment, threads, model, batch } = place;
  return row.environment === environment && row.threads === threads && row.model === model && row.batch === batch;
}

/**
 * How two rows are compared: by their medians, by their minima, or call by call. Calls of one number were made in the same
 * round, so that the median of their ratios is the least disturbed by a load that comes and goes.
 */
export type Measure = 'median' | 'min' | 'paired';

/** Time of `row` over that of `ours`. */
export function ratioOf(row: Row, ours: Row, measure: Measure): number {
  if (measure !== 'paired') return row[measure] / ours[measure];
  const pairs = row.runs.slice(0, ours.runs.length);
  return median(pairs.map((time, call) => time / (ours.runs[call] ?? Number.NaN)));
}

export interface Ratios {
  readonly ortWebInt8: number | null;
  readonly ortWebFp32: number | null;
  readonly ortNodeInt8: number | null;
  readonly ortNodeFp32: number | null;
}

/** The peer's best variant over ours, in one place: above 1 we are faster. Null where one of the two was not measured. */
export function ratiosAt(rows: readonly Row[], place: Place, measure: Measure): Ratios {
  const here = rows.filter((row) => within(row, place));
  const ours = here.find((row) => row.engine === 'ivit');
  const ratio = (engine: Engine, precision: Precision): number | null => {
    const peers = here.filter((row) => row.engine === engine && row.precision === precision);
    if (ours === undefined || peers.length === 0) return null;
    return Math.min(...peers.map((row) => ratioOf(row, ours, measure)));
  };
  return {
    ortWebInt8: ratio('ort-web', 'int8'),
    ortWebFp32: ratio('ort-web', 'fp32'),
    ortNodeInt8: ratio('ort-node', 'int8'),
    ortNodeFp32: ratio('ort-node', 'fp32'),
  };
}

/** How much faster a variant is on two threads than on one. */
export interface Scaling {
  readonly environment: string;
  readonly model: string;
  readonly batch: number;
  readonly engine: Engine;
  readonly variant: string;
  readonly median: number;
  readonly min: number;
}

export function scaling(rows: readonly Row[]): Scaling[] {
  return rows
    .filter((row) => row.threads === 1)
    .flatMap((one) => {
      const two = rows.find((row) => row.variant === one.variant && within(row, { ...one, threads: 2 }));
      if (two === undefined) return [];
      const { environment, model, batch, engine, variant } = one;
      return [{ environment, model, batch, engine, variant, median: one.median / two.median, min: one.min / two.min }];
    });
}
