import { describe, expect, it } from 'vitest';
import { createRandom } from './calibration.js';
import { chooseSlots, splitOf } from './slots.js';

const WIDTH = 12;

/** Rows in which a few channels reach much further than the others. */
function rowsOf(seed: number, rows: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: rows * WIDTH }, (_, i) => {
    const value = random() / 4294967296 - 0.5;
    const gain = i % WIDTH === 3 ? 9 : i % WIDTH === 7 && i % 5 === 0 ? 30 : 1;
    return value * gain;
  });
}

/** Σ of squared row scales, straight from the definition. */
function squaresOf(tensors: readonly Float32Array[], up: readonly number[], down: readonly number[]): number {
  let squares = 0;
  for (const x of tensors) {
    for (let row = 0; row < x.length; row += WIDTH) {
      let need = 0;
      for (let c = 0; c < WIDTH; c += 1) {
        const value = x[row + c] as number;
        need = Math.max(need, value / (up[c] as number), -value / (down[c] as number));
      }
      squares += need * need;
    }
  }
  return squares;
}

/** The greedy choice in its slow, obvious form: every place is tried, every row looked at again. */
function obvious(tensors: readonly Float32Array[], z: number, budget: number): { up: number[]; down: number[] } {
  const up = new Array<number>(WIDTH).fill(127 - z);
  const down = new Array<number>(WIDTH).fill(128 + z);
  for (let spent = 0; spent < budget; spent += 1) {
    let best = squaresOf(tensors, up, down);
    let choice: [number[], number] | undefined;
    for (const side of [up, down]) {
      for (let c = 0; c < WIDTH; c += 1) {
        side[c] = (side[c] as number) + 255;
        const squares = squaresOf(tensors, up, down);
        side[c] = (side[c] as number) - 255;
        if (squares < best * (1 - 1e-12)) {
          best = squares;
          choice = [side, c];
        }
      }
    }
    if (choice === undefined) break;
    const [side, c] = choice;
    side[c] = (side[c] as number) + 255;
  }
  return { up, down };
}

describe('chooseSlots', () => {
  it.each([
    [0, 1],
    [0, 8],
    [-96, 6],
    [32, 20],
  ])('is the greedy choice at z = %d with %d slots', (z, budget) => {
    const tensors = [rowsOf(5, 40), rowsOf(6, 17)];
    const { above, below, squares } = chooseSlots(tensors, WIDTH, z, budget);
    const slow = obvious(tensors, z, budget);
    expect([...above].map((k) => 127 - z + 255 * k)).toEqual(slow.up);
    expect([...below].map((k) => 128 + z + 255 * k)).toEqual(slow.down);
    expect(squares / squaresOf(tensors, slow.up, slow.down)).toBeCloseTo(1, 9);
    expect(above.reduce((a, b) => a + b, 0) + below.reduce((a, b) => a + b, 0)).toBe(budget);
  });

  it('sees migrated channels as they are quantized', () => {
    const x = Float32Array.of(1, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const shares = new Float64Array(WIDTH).fill(1);
    shares[1] = 1 / 16;
    expect(chooseSlots([x], WIDTH, 0, 1, shares).above[0]).toBe(1);
    expect(chooseSlots([x], WIDTH, 0, 1).above[1]).toBe(1);
  });

  it('spends nothing on zeros', () => {
    const { above, below, squares } = chooseSlots([new Float32Array(2 * WIDTH)], WIDTH, 0, 4);
    expect([squares, above.some(Boolean), below.some(Boolean)]).toEqual([0, false, false]);
  });
});

describe('splitOf', () => {
  it('writes base codes, then slots by channel, above before below', () => {
    const split = splitOf({ above: Int32Array.of(0, 2, 0), below: Int32Array.of(1, 1, 0) });
    expect([...(split?.channels ?? [])]).toEqual([0, 1, 2, 0, 1, 1, 1]);
    expect([...(split?.slot ?? [])]).toEqual([0, 0, 0, -1, 1, 2, -1]);
  });

  it('is nothing without slots', () => {
    expect(splitOf({ above: new Int32Array(3), below: new Int32Array(3) })).toBeUndefined();
  });
});
