import { corrupt } from '../error.js';
import { divFloor } from '../integer.js';
import type { Steps } from '../steps.js';
import { type BitReader, bitReader, checkNotPastEnd } from './bits.js';
import { readAcFirst, readAcRefinement, readBlock, readDcFirst, readDcRefinement, type ScanState } from './blocks.js';
import type { Component, Frame, Scan, ScanComponent } from './frame.js';
import type { HuffmanTable } from './huffman.js';
import { inverseDct, inverseDctMean } from './idct.js';

/** Reads the block at this place of a component. */
type BlockReader = (part: ScanComponent, row: number, column: number) => void;

/**
 * Decodes the entropy-coded data of one scan, which begins at `position`.
 *
 * @returns where it ended: at or before the next marker
 */
export function* decodeScan(
  bytes: Uint8Array,
  position: number,
  frame: Frame,
  scan: Scan,
  where: string | undefined,
): Steps<number> {
  const reader = bitReader(bytes, position, where);
  const state: ScanState = { emptyBlocks: 0 };
  const read = frame.progressive ? progressiveReader(reader, state, scan) : sequentialReader(reader, where);
  const [only] = scan.components;
  // A scan of one component is not interleaved: its MCU is one block, and there are no blocks beyond the image.
  const single = scan.components.length === 1 ? only : undefined;
  const wide = single === undefined ? frame.mcusWide : single.component.blocksWide;
  const high = single === undefined ? frame.mcusHigh : single.component.blocksHigh;
  let untilRestart = scan.restartInterval;
  let restarts = 0;
  for (let row = 0; row < high; row++) {
    for (let column = 0; column < wide; column++) {
      if (scan.restartInterval > 0) {
        if (untilRestart === 0) {
          restart(reader, restarts & 7);
          restarts++;
          state.emptyBlocks = 0;
          for (const part of scan.components) part.prediction = 0;
          untilRestart = scan.restartInterval;
        }
        untilRestart--;
      }
      if (single !== undefined) read(single, row, column);
      else {
        for (const part of scan.components) {
          const { h, v } = part.component;
          for (let y = 0; y < v; y++) {
            for (let x = 0; x < h; x++) read(part, row * v + y, column * h + x);
          }
        }
      }
      checkNotPastEnd(reader);
    }
    yield;
  }
  return reader.position;
}

/** Goes on after the restart marker with this number (0 … 7). */
function restart(reader: BitReader, number: number): void {
  const { bytes } = reader;
  let at = reader.position;
  while (at + 1 < bytes.length && !(bytes[at] === 0xff && bytes[at + 1] !== 0 && bytes[at + 1] !== 0xff)) at++;
  if (bytes[at + 1] !== 0xd0 + number) throw corrupt('A restart marker of the JPEG data is missing', reader.where);
  reader.position = at + 2;
  reader.buffer = 0;
  reader.count = 0;
  reader.padding = 0;
}

function sequentialReader(reader: BitReader, where: string | undefined): BlockReader {
  const block = new Int32Array(64);
  return (part, row, column) => {
    const { component } = part;
    const { steps } = component;
    if (steps === undefined) throw corrupt('The JPEG file lacks a quantization table', where);
    const hasMore = readBlock(
      reader,
      part,
      needTable(part.dcTable, where),
      needTable(part.acTable, where),
      steps,
      block,
    );
    writeSamples(component, block, hasMore, row, column);
    if (hasMore) block.fill(0);
  };
}

function writeSamples(component: Component, block: Int32Array, hasMore: boolean, row: number, column: number): void {
  const stride = component.blockStride * 8;
  const at = row * 8 * stride + column * 8;
  if (hasMore) inverseDct(block, component.plane, at, stride);
  else inverseDctMean(block[0] as number, component.plane, at, stride);
}

function progressiveReader(reader: BitReader, state: ScanState, scan: Scan): BlockReader {
  const { where } = reader;
  const { high, low } = scan;
  const place = (component: Component, row: number, column: number): number =>
    (row * component.blockStride + column) * 64;
  if (scan.first === 0 && high === 0) {
    return (part, row, column) => {
      readDcFirst(reader, part, needTable(part.dcTable, where), place(part.component, row, column), low);
    };
  }
  if (scan.first === 0) {
    return ({ component }, row, column) => {
      readDcRefinement(reader, component.coefficients, place(component, row, column), low);
    };
  }
  const readAc = high === 0 ? readAcFirst : readAcRefinement;
  return ({ component, acTable }, row, column) => {
    const at = place(component, row, column);
    readAc(reader, state, needTable(acTable, where), component.coefficients, at, scan);
  };
}

function needTable(table: HuffmanTable | undefined, where: string | undefined): HuffmanTable {
  if (table === undefined) throw corrupt('The JPEG file lacks a Huffman table', where);
  return table;
}

/** Progressive: turns the coefficients of a component into samples. */
export function* samplesFromCoefficients(component: Component, where: string | undefined): Steps<void> {
  const { coefficients, steps } = component;
  if (steps === undefined) throw corrupt('The JPEG file lacks a quantization table', where);
  const block = new Int32Array(64);
  for (let row = 0; row < component.blocksHigh; row++) {
    for (let column = 0; column < component.blocksWide; column++) {
      const at = (row * component.blockStride + column) * 64;
      block[0] = Math.imul(coefficients[at] as number, steps[0] as number);
      let any = 0;
      for (let i = 1; i < 64; i++) {
        const coefficient = coefficients[at + i] as number;
        any |= coefficient;
        block[i] = Math.imul(coefficient, steps[i] as number);
      }
      writeSamples(component, block, any !== 0, row, column);
    }
    yield;
  }
}

/** Blocks of the whole image, to judge whether the file can be long enough. */
export function countBlocks(frame: Frame): number {
  let blocks = 0;
  for (const { blocksWide, blocksHigh } of frame.components) blocks += blocksWide * blocksHigh;
  return blocks;
}

/** Rows between steps that do little per row: about 64 thousand pixels. */
export function rowsPerStep(width: number): number {
  return 1 + divFloor(65536, width);
}
