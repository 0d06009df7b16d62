import { divFloor } from '../integer.js';
import type { Component, Frame } from './frame.js';

/** Writes row `y` of the image, for one component at full width, into `row` (which has room for one sample more). */
export type RowSource = (y: number, row: Uint8Array) => void;

/**
 * Brings a component to the size of the image as libjpeg-turbo does by default ("fancy upsampling"): triangle filters
 * with weights 3/4, 1/4 for ratios of 2 in one or both directions, repetition for every other ratio and for components
 * at most 2 samples wide. Rounding alternates, so that halves are not all rounded up. Past the border the outermost
 * sample counts again.
 */
export function rowSource(component: Component, frame: Frame): RowSource {
  const { plane, width, height } = component;
  const stride = component.blockStride * 8;
  const ratioX = divFloor(frame.maxH, component.h);
  const ratioY = divFloor(frame.maxV, component.v);
  const lastRow = height - 1;
  const rowAt = (y: number): number => (y < 0 ? 0 : y > lastRow ? lastRow : y) * stride;
  if (ratioX === 1 && ratioY === 1) {
    return (y, row) => {
      row.set(plane.subarray(y * stride, y * stride + width));
    };
  }
  if (ratioX === 2 && ratioY === 1 && width > 2) {
    return (y, row) => {
      widen(plane, y * stride, width, row);
    };
  }
  if (ratioX === 1 && ratioY === 2) {
    return (y, row) => {
      const near = rowAt(y >> 1);
      const far = rowAt((y >> 1) + ((y & 1) * 2 - 1));
      const bias = 1 + (y & 1);
      for (let x = 0; x < width; x++) {
        row[x] = ((plane[near + x] as number) * 3 + (plane[far + x] as number) + bias) >> 2;
      }
    };
  }
  if (ratioX === 2 && ratioY === 2 && width > 2) {
    return (y, row) => {
      widenBlended(plane, rowAt(y >> 1), rowAt((y >> 1) + ((y & 1) * 2 - 1)), width, row);
    };
  }
  return (y, row) => {
    let from = divFloor(y, ratioY) * stride;
    for (let x = 0; x < frame.width; from++) {
      const sample = plane[from] as number;
      for (const end = Math.min(x + ratioX, frame.width); x < end; x++) row[x] = sample;
    }
  };
}

/** Twice as wide. At least 2 samples. */
function widen(plane: Uint8Array, at: number, width: number, row: Uint8Array): void {
  let here = plane[at] as number;
  let next = plane[at + 1] as number;
  row[0] = here;
  row[1] = (here * 3 + next + 2) >> 2;
  const last = width - 1;
  for (let x = 1; x < last; x++) {
    const before = here;
    here = next;
    next = plane[at + x + 1] as number;
    row[2 * x] = (here * 3 + before + 1) >> 2;
    row[2 * x + 1] = (here * 3 + next + 2) >> 2;
  }
  row[2 * last] = (next * 3 + here + 1) >> 2;
  row[2 * last + 1] = next;
}

/** Twice as wide, from a nearer row that counts three times and a farther one. At least 2 samples. */
function widenBlended(plane: Uint8Array, near: number, far: number, width: number, row: Uint8Array): void {
  let here = (plane[near] as number) * 3 + (plane[far] as number);
  let next = (plane[near + 1] as number) * 3 + (plane[far + 1] as number);
  row[0] = (here * 4 + 8) >> 4;
  row[1] = (here * 3 + next + 7) >> 4;
  const last = width - 1;
  for (let x = 1; x < last; x++) {
    const before = here;
    here = next;
    next = (plane[near + x + 1] as number) * 3 + (plane[far + x + 1] as number);
    row[2 * x] = (here * 3 + before + 8) >> 4;
    row[2 * x + 1] = (here * 3 + next + 7) >> 4;
  }
  row[2 * last] = (next * 3 + here + 8) >> 4;
  row[2 * last + 1] = (next * 4 + 7) >> 4;
}
