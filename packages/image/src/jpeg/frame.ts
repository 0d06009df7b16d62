import type { HuffmanTable } from './huffman.js';

/** One color component of the image. */
export interface Component {
  readonly id: number;
  /** Sampling factors, 1 … 4. */
  readonly h: number;
  readonly v: number;
  /** Number of its quantization table. */
  readonly quantizer: number;
  /** Samples that belong to the image. */
  readonly width: number;
  readonly height: number;
  /** Blocks that hold samples of the image. */
  readonly blocksWide: number;
  readonly blocksHigh: number;
  /** Blocks per row in memory: as many as whole MCUs have. */
  readonly blockStride: number;
  /** Samples: rows of `blockStride * 8`. */
  plane: Uint8Array;
  /** Progressive only: 64 coefficients per block, in natural order, rows of `blockStride` blocks. */
  coefficients: Int16Array;
  /** Steps of the quantization in natural order, as they were at the component's first scan. */
  steps: Int32Array | undefined;
  /** Progressive only: for each coefficient in zigzag order the lowest bit received so far, or -1. */
  readonly lowestBit: Int8Array;
}

/** What the frame header says. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly progressive: boolean;
  readonly components: readonly Component[];
  readonly maxH: number;
  readonly maxV: number;
  /** MCUs of an interleaved scan. */
  readonly mcusWide: number;
  readonly mcusHigh: number;
}

/** A component's part in one scan. */
export interface ScanComponent {
  readonly component: Component;
  readonly dcTable: HuffmanTable | undefined;
  readonly acTable: HuffmanTable | undefined;
  /** The last DC value. */
  prediction: number;
}

/** What a scan header says. */
export interface Scan {
  readonly components: readonly ScanComponent[];
  /** First and last coefficient, in zigzag order. */
  readonly first: number;
  readonly last: number;
  /** Bit position before and after (successive approximation); high = 0 in the first scan of a band. */
  readonly high: number;
  readonly low: number;
  /** MCUs between restart markers, or 0. */
  readonly restartInterval: number;
}

/** Natural place of the coefficient with each zigzag number (Figure A.6 of T.81). */
export const NATURAL_ORDER: Uint8Array = /* @__PURE__ */ Uint8Array.of(
  ...[0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21],
  ...[28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61],
  ...[54, 47, 55, 62, 63],
);
