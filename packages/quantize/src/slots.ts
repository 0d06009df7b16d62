import type { RecipeSplit } from '@ivit/models';

/** Steps that one int8 code covers, and that each slot adds to its channel's reach. */
const CODE_STEPS = 255;

/** Slots of one edge: how many times each channel is continued above and below its base code. */
export interface SlotCounts {
  readonly above: Int32Array;
  readonly below: Int32Array;
}

export interface SlotChoice extends SlotCounts {
  /** Σ of squared row scales over all rows, the slots in use. */
  readonly squares: number;
}

/** Per row: the largest scale any channel needs, whose it is, and the largest need of another channel. */
interface RowNeeds {
  readonly need: Float64Array;
  readonly second: Float64Array;
  /** Channel, plus the width for a need below zero. */
  readonly place: Int32Array;
  /** |value| of that channel. */
  readonly size: Float64Array;
}

/**
 * Spends up to `budget` slots greedily: each goes where it reduces the sum of squared row scales most. The scale that a
 * row needs is the largest of x_c / reach_c over its channels; a slot adds 255 steps to one side of one channel.
 * Lower channels win ties; no slot is spent where none helps.
 *
 * @param tensors `[rows,width]` each.
 * @param shares 1/t_c for migrated channels.
 */
export function chooseSlots(
  tensors: readonly Float32Array[],
  width: number,
  zeroPoint: number,
  budget: number,
  shares?: Float64Array,
): SlotChoice {
  const reach = new Float64Array(2 * width).fill(127 - zeroPoint, 0, width).fill(128 + zeroPoint, width);
  const inverse = reach.map((steps) => 1 / steps);
  const counts = new Int32Array(2 * width);
  const rows = tensors.reduce((sum, x) => sum + x.length / width, 0);
  const needs: RowNeeds = {
    need: new Float64Array(rows),
    second: new Float64Array(rows),
    place: new Int32Array(rows),
    size: new Float64Array(rows),
  };
  scan(tensors, width, inverse, shares, needs);
  const gains = new Float64Array(2 * width);
  for (let spent = 0; spent < budget; spent += 1) {
    gains.fill(0);
    for (let r = 0; r < rows; r += 1) {
      const place = needs.place[r] as number;
      const need = needs.need[r] as number;
      const own = (needs.size[r] as number) / ((reach[place] as number) + CODE_STEPS);
      const after = Math.max(own, needs.second[r] as number);
      gains[place] = (gains[place] as number) + (need * need - after * after);
    }
    let best = 0;
    for (let place = 1; place < gains.length; place += 1) {
      if ((gains[place] as number) > (gains[best] as number)) best = place;
    }
    if (!((gains[best] as number) > 0)) break;
    counts[best] = (counts[best] as number) + 1;
    reach[best] = (reach[best] as number) + CODE_STEPS;
    inverse[best] = 1 / (reach[best] as number);
    scan(tensors, width, inverse, shares, needs, best);
  }
  let squares = 0;
  for (let r = 0; r < rows; r += 1) squares += (needs.need[r] as number) * (needs.need[r] as number);
  return { squares, above: counts.subarray(0, width), below: counts.subarray(width) };
}

/** Fills the needs of all rows, or of those whose largest was at `place`. */
function scan(
  tensors: readonly Float32Array[],
  width: number,
  inverse: Float64Array,
  shares: Float64Array | undefined,
  needs: RowNeeds,
  place?: number,
): void {
  let r = 0;
  for (const x of tensors) {
    for (let start = 0; start < x.length; start += width, r += 1) {
      if (place !== undefined && needs.place[r] !== place) continue;
      let first = 0;
      let second = 0;
      let at = 0;
      let size = 0;
      for (let c = 0; c < width; c += 1) {
        const entry = x[start + c] as number;
        const value = shares === undefined ? entry : entry * (shares[c] as number);
        const side = value < 0 ? width + c : c;
        const magnitude = value < 0 ? -value : value;
        const need = magnitude * (inverse[side] as number);
        if (need > first) {
          second = first;
          first = need;
          at = side;
          size = magnitude;
        } else if (need > second) second = need;
      }
      needs.need[r] = first;
      needs.second[r] = second;
      needs.place[r] = at;
      needs.size[r] = size;
    }
  }
}

/** Base codes in order, then the slots channel by channel, above before below, nearest first; undefined without slots. */
export function splitOf({ above, below }: SlotCounts): RecipeSplit | undefined {
  const channels = Array.from(above, (_, c) => c);
  const slot = channels.map(() => 0);
  for (let c = 0; c < above.length; c += 1) {
    for (let k = 1; k <= (above[c] as number); k += 1) {
      channels.push(c);
      slot.push(k);
    }
    for (let k = 1; k <= (below[c] as number); k += 1) {
      channels.push(c);
      slot.push(-k);
    }
  }
  if (channels.length === above.length) return undefined;
  return { channels: Int32Array.from(channels), slot: Int8Array.from(slot) };
}
