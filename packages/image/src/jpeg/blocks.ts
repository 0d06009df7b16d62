import { corrupt } from '../error.js';
import { type BitReader, readBits, readSigned, readSymbol } from './bits.js';
import { NATURAL_ORDER, type Scan, type ScanComponent } from './frame.js';
import type { HuffmanTable } from './huffman.js';

/** Where the decoding of a scan stands, besides the predictions. */
export interface ScanState {
  /** Progressive: how many more blocks have no new coefficients in this band. */
  emptyBlocks: number;
}

/**
 * Reads one block of a sequential scan (F.2.2 of T.81), dequantized.
 *
 * @param block 64 zeros, to be filled in natural order
 * @returns whether any coefficient but the mean is there
 */
export function readBlock(
  reader: BitReader,
  part: ScanComponent,
  dcTable: HuffmanTable,
  acTable: HuffmanTable,
  steps: Int32Array,
  block: Int32Array,
): boolean {
  const length = readSymbol(reader, dcTable);
  if (length > 15) throw corrupt('The JPEG data has an impossible DC coefficient', reader.where);
  part.prediction = ((part.prediction + readSigned(reader, length)) << 16) >> 16;
  block[0] = Math.imul(part.prediction, steps[0] as number);
  let hasMore = false;
  for (let k = 1; k < 64; ) {
    const symbol = readSymbol(reader, acTable);
    const size = symbol & 15;
    const run = symbol >> 4;
    if (size === 0) {
      if (run !== 15) break;
      k += 16;
      continue;
    }
    k += run;
    if (k > 63) throw corrupt('The JPEG data has too many coefficients in a block', reader.where);
    const place = NATURAL_ORDER[k] as number;
    block[place] = Math.imul(readSigned(reader, size), steps[place] as number);
    hasMore = true;
    k++;
  }
  return hasMore;
}

/** First scan of the means (G.1.2.1 of T.81). `at`: where the block's coefficients begin. */
export function readDcFirst(
  reader: BitReader,
  part: ScanComponent,
  table: HuffmanTable,
  at: number,
  low: number,
): void {
  const length = readSymbol(reader, table);
  if (length > 15) throw corrupt('The JPEG data has an impossible DC coefficient', reader.where);
  part.prediction = ((part.prediction + readSigned(reader, length)) << 16) >> 16;
  part.component.coefficients[at] = part.prediction << low;
}

/** One more bit of a mean. */
export function readDcRefinement(reader: BitReader, coefficients: Int16Array, at: number, low: number): void {
  if (readBits(reader, 1) === 1) coefficients[at] = (coefficients[at] as number) | (1 << low);
}

/** First scan of a band of the other coefficients (G.1.2.2). */
export function readAcFirst(
  reader: BitReader,
  state: ScanState,
  table: HuffmanTable,
  coefficients: Int16Array,
  at: number,
  scan: Scan,
): void {
  if (state.emptyBlocks > 0) {
    state.emptyBlocks--;
    return;
  }
  for (let k = scan.first; k <= scan.last; ) {
    const symbol = readSymbol(reader, table);
    const size = symbol & 15;
    const run = symbol >> 4;
    if (size === 0) {
      if (run !== 15) {
        state.emptyBlocks = (1 << run) + readBits(reader, run) - 1;
        return;
      }
      k += 16;
      continue;
    }
    k += run;
    if (k > scan.last) throw corrupt('The JPEG data has too many coefficients in a block', reader.where);
    coefficients[at + (NATURAL_ORDER[k] as number)] = readSigned(reader, size) << scan.low;
    k++;
  }
}

/** One more bit of a band (G.1.2.3): coefficients that are new appear among correction bits of those that are there. */
export function readAcRefinement(
  reader: BitReader,
  state: ScanState,
  table: HuffmanTable,
  coefficients: Int16Array,
  at: number,
  scan: Scan,
): void {
  const bit = 1 << scan.low;
  let k = scan.first;
  if (state.emptyBlocks === 0) {
    while (k <= scan.last) {
      const symbol = readSymbol(reader, table);
      const size = symbol & 15;
      let run = symbol >> 4;
      let value = 0;
      if (size === 0) {
        if (run !== 15) {
          state.emptyBlocks = (1 << run) + readBits(reader, run);
          break;
        }
      } else {
        if (size !== 1) throw corrupt('The JPEG data corrects a coefficient by more than one bit', reader.where);
        value = readBits(reader, 1) === 1 ? bit : -bit;
      }
      // Pass over `run` zeros, correcting what is not zero on the way.
      for (; k <= scan.last; k++) {
        const place = at + (NATURAL_ORDER[k] as number);
        if (coefficients[place] !== 0) correct(reader, coefficients, place, bit);
        else if (run === 0) break;
        else run--;
      }
      if (value !== 0) {
        if (k > scan.last) throw corrupt('The JPEG data has too many coefficients in a block', reader.where);
        coefficients[at + (NATURAL_ORDER[k] as number)] = value;
      }
      k++;
    }
  }
  if (state.emptyBlocks > 0) {
    for (; k <= scan.last; k++) {
      const place = at + (NATURAL_ORDER[k] as number);
      if (coefficients[place] !== 0) correct(reader, coefficients, place, bit);
    }
    state.emptyBlocks--;
  }
}

function correct(reader: BitReader, coefficients: Int16Array, place: number, bit: number): void {
  if (readBits(reader, 1) === 0) return;
  const value = coefficients[place] as number;
  if ((value & bit) === 0) coefficients[place] = value < 0 ? value - bit : value + bit;
}
