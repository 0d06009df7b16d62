/**
 * Everything Swin does beside arithmetic, as integer index tables: what is moved where by `gather`, which pairs of tokens
 * a shifted window must not mix, and which entry of the bias table a pair reads. A grid is side×side tokens, row-major.
 */

/**
 * Rows of a grid in the order window, token: the grid rolled by `shift` up and to the left, then cut into windows.
 * Windows run row-major over the grid, tokens row-major inside each.
 *
 * @param side A multiple of `window`.
 * @returns `[side²]`; entry [w·window² + t] is the grid index of token t of window w.
 */
export function windowRows(side: number, window: number, shift: number): Int32Array {
  const rows = new Int32Array(side * side);
  let at = 0;
  for (let top = 0; top < side; top += window) {
    for (let left = 0; left < side; left += window) {
      for (let y = 0; y < window; y += 1) {
        for (let x = 0; x < window; x += 1, at += 1) {
          rows[at] = ((top + y + shift) % side) * side + ((left + x + shift) % side);
        }
      }
    }
  }
  return rows;
}

/** The permutation that undoes one: windows back to the grid. */
export function inverseRows(rows: Int32Array): Int32Array {
  const inverse = new Int32Array(rows.length);
  for (let at = 0; at < rows.length; at += 1) inverse[rows[at] as number] = at;
  return inverse;
}

/**
 * Rows for patch merging: every 2×2 square of the grid becomes one token of four times the channels, in the original
 * code's order: (y,x) = (0,0), (1,0), (0,1), (1,1).
 *
 * @param side Even.
 * @returns `[side²]`, to be read as `[side²/4, 4]`.
 */
export function mergeRows(side: number): Int32Array {
  const rows = new Int32Array(side * side);
  let at = 0;
  for (let y = 0; y < side; y += 2) {
    for (let x = 0; x < side; x += 2) {
      for (const [dy, dx] of [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
      ] as const) {
        rows[at] = (y + dy) * side + x + dx;
        at += 1;
      }
    }
  }
  return rows;
}

/** Band of a coordinate of the rolled grid: tokens of different bands were not neighbors before the roll. */
function band(at: number, side: number, window: number, shift: number): number {
  if (at < side - window) return 0;
  return at < side - shift ? 1 : 2;
}

/**
 * Pairs of tokens that a shifted window must keep apart, because the roll brought them together from opposite edges.
 *
 * @returns `[windows, N, N]` with N = window², 1 where the pair is masked.
 */
export function shiftMask(side: number, window: number, shift: number): Uint8Array {
  const tokens = window * window;
  const perSide = side / window;
  const mask = new Uint8Array(side * side * tokens);
  const region = new Uint8Array(tokens);
  for (let w = 0; w < perSide * perSide; w += 1) {
    const top = Math.floor(w / perSide) * window;
    const left = (w % perSide) * window;
    for (let t = 0; t < tokens; t += 1) {
      const y = top + Math.floor(t / window);
      const x = left + (t % window);
      region[t] = 3 * band(y, side, window, shift) + band(x, side, window, shift);
    }
    for (let i = 0; i < tokens; i += 1) {
      for (let j = 0; j < tokens; j += 1) {
        mask[(w * tokens + i) * tokens + j] = region[i] === region[j] ? 0 : 1;
      }
    }
  }
  return mask;
}

/**
 * Which row of the `[(2·window-1)², heads]` table of relative position biases a pair of tokens reads:
 * (Δy + window-1)·(2·window-1) + Δx + window-1, Δ = query - key.
 *
 * @returns `[N, N]`, N = window².
 */
export function relativePositionIndex(window: number): Int32Array {
  const tokens = window * window;
  const index = new Int32Array(tokens * tokens);
  for (let i = 0; i < tokens; i += 1) {
    for (let j = 0; j < tokens; j += 1) {
      const dy = Math.floor(i / window) - Math.floor(j / window) + window - 1;
      const dx = (i % window) - (j % window) + window - 1;
      index[i * tokens + j] = dy * (2 * window - 1) + dx;
    }
  }
  return index;
}

/**
 * A table of relative position biases laid out per pair of tokens.
 *
 * @param table `[(2·window-1)², heads]`
 * @returns `[heads, N, N]`
 */
export function spreadBias<Data extends Int8Array | Int16Array | Float32Array>(
  table: Data,
  window: number,
  heads: number,
  create: (length: number) => Data,
): Data {
  const index = relativePositionIndex(window);
  const spread = create(heads * index.length);
  for (let head = 0; head < heads; head += 1) {
    for (let pair = 0; pair < index.length; pair += 1) {
      spread[head * index.length + pair] = table[(index[pair] as number) * heads + head] as number;
    }
  }
  return spread;
}
