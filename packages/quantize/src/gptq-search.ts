import { clampWeight, descendingDiagonal, dot, feedbackFactor, type RoundedWeights, rowScales } from './gptq.js';
import type { SecondMoments } from './hessian.js';

/** Columns over which paths may differ; what lies further back is settled as the best path has it. */
const REACH = 96;

/** The paths of one row, ordered by loss. */
interface Paths {
  count: number;
  readonly loss: Float64Array;
  /** `[paths,K]`: rounding errors of the columns done; before the settled ones end, in row 0 alone. */
  readonly error: Float64Array;
  /** `[paths,K]` */
  readonly codes: Int8Array;
}

function createPaths(most: number, size: number): Paths {
  return {
    count: 1,
    loss: new Float64Array(most),
    error: new Float64Array(most * size),
    codes: new Int8Array(most * size),
  };
}

/** The best continuations of all paths by one column, ordered by loss. */
interface Choice {
  count: number;
  readonly loss: Float64Array;
  readonly parent: Int32Array;
  readonly code: Int8Array;
}

/** Keeps a continuation if it is among the best; of equals the first. */
function offer(choice: Choice, loss: number, parent: number, code: number): void {
  const most = choice.loss.length;
  if (choice.count === most && !(loss < (choice.loss[most - 1] as number))) return;
  let at = choice.count < most ? choice.count : most - 1;
  while (at > 0 && loss < (choice.loss[at - 1] as number)) {
    choice.loss[at] = choice.loss[at - 1] as number;
    choice.parent[at] = choice.parent[at - 1] as number;
    choice.code[at] = choice.code[at - 1] as number;
    at -= 1;
  }
  choice.loss[at] = loss;
  choice.parent[at] = parent;
  choice.code[at] = code;
  if (choice.count < most) choice.count += 1;
}

/**
 * GPTQ with several paths: the two nearest integers are tried for every weight, and of all continuations those of least
 * loss so far are kept (the M-algorithm of closest-point search in lattices; with one path it is GPTQ). The loss is the
 * second-order one of `roundNarrow`, known column by column.
 *
 * @param paths kept for a row, at least 1.
 */
export function roundSearched(
  weights: Float64Array,
  rows: number,
  moments: SecondMoments,
  paths: number,
): RoundedWeights {
  const { size } = moments;
  const scale = rowScales(weights, rows, size);
  const weight = new Int8Array(rows * size);
  const order = descendingDiagonal(moments);
  const feedback = feedbackFactor(moments, order);
  const target = new Float64Array(size);
  const search = createSearch(feedback, size, paths);
  for (let n = 0; n < rows; n += 1) {
    const unit = scale[n] as number;
    if (unit === 0) continue;
    for (let k = 0; k < size; k += 1) target[k] = weights[n * size + (order[k] as number)] as number;
    const codes = search(target, unit);
    for (let k = 0; k < size; k += 1) weight[n * size + (order[k] as number)] = codes[k] as number;
  }
  return { weight, scale };
}

/** A function that rounds one row, its columns in the order of the factor. */
function createSearch(
  feedback: Float64Array,
  size: number,
  most: number,
): (target: Float64Array, unit: number) => Int8Array {
  const pair: readonly [Paths, Paths] = [createPaths(most, size), createPaths(most, size)];
  const choice: Choice = {
    count: 0,
    loss: new Float64Array(most),
    parent: new Int32Array(most),
    code: new Int8Array(most),
  };
  const settled = { error: new Float64Array(size), codes: new Int8Array(size) };
  return (target, unit) => {
    let [paths, next] = pair;
    paths.count = 1;
    paths.loss[0] = 0;
    let start = 0;
    for (let k = 0; k < size; k += 1) {
      const column = target[k] as number;
      const common = column + dot(settled.error, feedback, k * size, start);
      const weight = feedback[k * size + k] as number;
      choice.count = 0;
      for (let p = 0; p < paths.count; p += 1) {
        const wanted = common + tail(paths.error, p * size, feedback, k * size, start, k);
        const nearest = clampWeight(wanted / unit);
        const second = clampWeight(nearest + (wanted > nearest * unit ? 1 : -1));
        const rest = wanted - nearest * unit;
        const otherRest = wanted - second * unit;
        const loss = paths.loss[p] as number;
        offer(choice, loss + weight * rest * rest, p, nearest);
        if (second !== nearest) offer(choice, loss + weight * otherRest * otherRest, p, second);
      }
      extend(paths, next, choice, column, unit, size, start, k);
      [paths, next] = [next, paths];
      start = settle(paths, settled, size, start, k + 1);
    }
    settled.codes.set(paths.codes.subarray(start, size), start);
    return settled.codes;
  };
}

/** Σ a[from+i]·b[to+i] over columns `start … end-1`. */
function tail(a: Float64Array, from: number, b: Float64Array, to: number, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i += 1) sum += (a[from + i] as number) * (b[to + i] as number);
  return sum;
}

/** Writes the chosen continuations by column k to `next`, their unsettled past with them. */
function extend(
  paths: Paths,
  next: Paths,
  choice: Choice,
  column: number,
  unit: number,
  size: number,
  start: number,
  k: number,
): void {
  next.count = choice.count;
  for (let p = 0; p < choice.count; p += 1) {
    const from = (choice.parent[p] as number) * size;
    const code = choice.code[p] as number;
    next.loss[p] = choice.loss[p] as number;
    for (let i = start; i < k; i += 1) {
      next.error[p * size + i] = paths.error[from + i] as number;
      next.codes[p * size + i] = paths.codes[from + i] as number;
    }
    next.error[p * size + k] = column - code * unit;
    next.codes[p * size + k] = code;
  }
}

/**
 * Settles the columns in which all paths agree, and those too far back, in which the best path decides.
 *
 * @returns where the columns begin that are still open.
 */
function settle(
  paths: Paths,
  settled: { readonly error: Float64Array; readonly codes: Int8Array },
  size: number,
  start: number,
  end: number,
): number {
  let at = start;
  for (; at < end; at += 1) {
    const code = paths.codes[at] as number;
    let agreed = true;
    for (let p = 1; p < paths.count && agreed; p += 1) agreed = paths.codes[p * size + at] === code;
    if (!agreed && end - at <= REACH) break;
    if (!agreed) keep(paths, size, at, end, code);
    settled.codes[at] = code;
    settled.error[at] = paths.error[at] as number;
  }
  return at;
}

/** Drops the paths that have another code in a column. */
function keep(paths: Paths, size: number, at: number, end: number, code: number): void {
  let kept = 0;
  for (let p = 0; p < paths.count; p += 1) {
    if (paths.codes[p * size + at] !== code) continue;
    paths.loss[kept] = paths.loss[p] as number;
    paths.error.copyWithin(kept * size + at, p * size + at, p * size + end);
    paths.codes.copyWithin(kept * size + at, p * size + at, p * size + end);
    kept += 1;
  }
  paths.count = kept;
}
