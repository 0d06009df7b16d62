/** Turns a program into dispatches with their records, and gives values their places. Pure: needs no device. */
import { divFloor } from '@ivit/dyadic';
import { findNeeds, IvitError, type Op, type ValidatedProgram } from '@ivit/program';
import { allocate, type DType, elementCount, type Lease } from '@ivit/tensor';
import { imageWords, MOST_BINDING_BYTES, RECORD_BYTES } from '../layout.js';
import { ConstantPool } from './constants.js';
import type { Draft } from './draft.js';
import { fuse } from './fuse.js';
import { concatDrafts, gatherDraft, lookupDraft, meanDraft, ramplookupDraft } from './movement-drafts.js';
import { linearDraft, matmulDraft } from './product-drafts.js';
import { layernormDraft, shiftgeluDraft, softmaxDraft } from './row-drafts.js';
import { requantizeDraft, rowquantizeDraft, rowscaleDraft } from './scaling-drafts.js';
import type { Source } from './source.js';
import { Uses } from './uses.js';
import { PlanValues } from './values.js';

/** A value where it lies while it is wanted. */
export interface PlacedValue {
  readonly value: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Elements of one image. */
  readonly count: number;
  /** First word of image 0. */
  readonly base: number;
  readonly imageWords: number;
}

export interface PlannedDispatch {
  readonly code: string;
  readonly record: Int32Array<ArrayBuffer>;
  /** Workgroups of one image, over x and y; images are along z. */
  readonly grid: readonly [x: number, y: number];
  /** Which of the constant buffers it reads. */
  readonly constants: number;
  /** The value that it makes; what it makes beside it, other dispatches alone read. */
  readonly result: PlacedValue;
  /** Whether all of that value is made, and it is one of the program's. */
  readonly whole: boolean;
}

export interface DevicePlan {
  readonly dispatches: readonly PlannedDispatch[];
  readonly input: PlacedValue;
  /** What is handed out, the input's pixels apart, in op order. */
  readonly outputs: readonly PlacedValue[];
  /** Images that fit the arena at once. */
  readonly capacity: number;
  readonly arenaWords: number;
  readonly constants: ConstantPool;
  /** Bytes of all buffers. */
  readonly bytes: number;
}

function draftsOf(source: Source, op: Op): readonly Draft[] {
  switch (op.op) {
    case 'requantize':
      return [requantizeDraft(source, op)];
    case 'rowscale':
      return [rowscaleDraft(source, op)];
    case 'rowquantize':
      return [rowquantizeDraft(source, op)];
    case 'linear':
      return [linearDraft(source, op)];
    case 'matmul':
      return [matmulDraft(source, op)];
    case 'softmax':
      return [softmaxDraft(source, op)];
    case 'shiftgelu':
      return [shiftgeluDraft(source, op)];
    case 'layernorm':
      return [layernormDraft(source, op)];
    case 'lookup':
      return [lookupDraft(source, op)];
    case 'ramplookup':
      return [ramplookupDraft(source, op)];
    case 'mean':
      return [meanDraft(source, op)];
    case 'gather':
      return [gatherDraft(source, op)];
    case 'concat':
      return concatDrafts(source, op);
    default:
      op satisfies never;
      throw new IvitError('E_UNSUPPORTED_OP', 'The WebGPU backend does not know this op');
  }
}

/** Elements up to the last one of a box that begins at the origin. */
function prefix(shape: readonly number[], box: readonly number[]): number {
  let last = 0;
  for (const [axis, size] of shape.entries()) last = last * size + (box[axis] as number) - 1;
  return last + 1;
}

/** Where each value lies, for so many images. */
function placeValues(
  values: PlanValues,
  drafts: readonly Draft[],
  input: string,
  capacity: number,
): { readonly bases: ReadonlyMap<string, number>; readonly words: number } {
  const ends = new Map<string, number>([[input, 0]]);
  const starts = new Map<string, number>([[input, -1]]);
  for (const [index, draft] of drafts.entries()) {
    const made = [draft.result, ...draft.also];
    for (const name of made) if (!starts.has(name)) starts.set(name, index);
    for (const name of [...made, ...draft.reads]) ends.set(name, index);
  }
  const names = [...starts.keys()];
  const leases = names.map((name): Lease => {
    const { dtype, shape } = values.type(name);
    const bytes = imageWords(dtype, shape) * capacity * 4;
    return { start: starts.get(name) ?? 0, end: ends.get(name) ?? 0, bytes };
  });
  const { offsets, bytes } = allocate(leases);
  return { bases: new Map(names.map((name, i) => [name, (offsets[i] as number) >>> 2])), words: bytes >>> 2 };
}

/** The largest number of images, at most `wanted`, whose values fit one binding. @throws E_MEMORY if not one does */
function fitCapacity(place: (capacity: number) => number, wanted: number): number {
  const limit = MOST_BINDING_BYTES >>> 2;
  let capacity = wanted;
  for (;;) {
    const words = place(capacity);
    if (words <= limit) return capacity;
    if (capacity === 1) {
      throw new IvitError(
        'E_MEMORY',
        `The values of one image take ${words * 4} bytes, a binding ${MOST_BINDING_BYTES}`,
        {
          hint: 'Run this model on another backend.',
        },
      );
    }
    capacity = Math.min(capacity - 1, Math.max(1, divFloor(capacity * limit, words)));
  }
}

export interface PlanChoice {
  /** Products by `dot4I8Packed`. */
  readonly packed: boolean;
  /** Ops that may run together do. */
  readonly fuse: boolean;
  /** Workgroups that keep the device busy. Default: 1. */
  readonly groups?: number;
}

/** @throws E_MEMORY where values or constants pass what a binding holds */
export function planProgram(
  program: ValidatedProgram,
  outputs: readonly string[],
  maxBatch: number,
  choice: PlanChoice = { packed: false, fuse: true },
): DevicePlan {
  const values = new PlanValues(program);
  const needs = findNeeds(program, outputs);
  const needed = (value: string): number => prefix(values.type(value).shape, needs.get(value) ?? []);
  const source: Source = { values, needed };
  const ops = program.ops.filter((op) => needs.has(op.result));
  const fused = fuse(source, new Uses(program, outputs), choice.fuse ? ops : [], {
    packed: choice.packed,
    groups: -divFloor(-(choice.groups ?? 1), maxBatch),
  });
  const drafts = ops.flatMap((op): readonly Draft[] => {
    const draft = fused.drafts.get(op);
    if (draft !== undefined) return [draft];
    return fused.absorbed.has(op) ? [] : draftsOf(source, op);
  });
  const place = (images: number) => placeValues(values, drafts, program.input, images);
  const capacity = fitCapacity((images) => place(images).words, maxBatch);
  const { bases, words } = place(capacity);
  const placed = (value: string): PlacedValue => {
    const { dtype, shape } = values.type(value);
    const count = elementCount(shape);
    return { value, dtype, shape, count, base: bases.get(value) ?? 0, imageWords: imageWords(dtype, shape) };
  };
  const constants = new ConstantPool();
  const dispatches = drafts.map((draft): PlannedDispatch => {
    const { buffer, at } = constants.place(
      draft.constants.map(({ constant }) => constant),
      draft.result,
    );
    for (const [index, { word }] of draft.constants.entries()) draft.record[word] = at[index] as number;
    for (const { value, baseWord } of draft.patches) draft.record[baseWord] = bases.get(value) ?? 0;
    const result = placed(draft.result);
    const known = Object.hasOwn(program.values, draft.result) && !draft.partial;
    const whole = known && needed(draft.result) === result.count;
    return { code: draft.code, record: draft.record, grid: draft.grid, constants: buffer, result, whole };
  });
  const kept = new Set(outputs);
  const handed = program.ops.filter((op) => kept.has(op.result)).map((op) => placed(op.result));
  const held = handed.reduce((sum, value) => sum + value.imageWords * capacity, 0);
  const fixed = constants.sizes.reduce((sum, size) => sum + size, 0);
  const bytes = (words + held + fixed) * 4 + dispatches.length * RECORD_BYTES;
  return { dispatches, input: placed(program.input), outputs: handed, capacity, arenaWords: words, constants, bytes };
}
