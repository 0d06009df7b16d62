/** Gives the drafts their addresses and writes the command list. */
import { findNeeds, IvitError, type ValidatedProgram } from '@ivit/program';
import { aligned, allocate, DTYPES, type DType, elementCount, type Lease } from '@ivit/tensor';
import * as R from '../record-layout.js';
import { type ConstantEntry, ConstantPool } from './constants.js';
import { Planner } from './planner.js';
import { findRampPairs } from './ramp-map.js';
import type { RowSpace } from './rows.js';
import { type GroupDraft, type Ref, type Relaxed, type StageDraft, startRecord } from './stage.js';

/** Loops of eight read so far past the end of what they need. */
const SLACK = 256;
/** 65536 pages of 65536 bytes. */
const MOST_BYTES = 4294967296;

/**
 * Rows that one unit takes through a chain with products. On one thread all 197 of a plain ViT, so that weights larger than the
 * second-level cache are read once (DeiT-S 4 % faster than in units of 24); several threads take less, so that they finish together.
 */
const PRODUCT_STRIP = { alone: 200, shared: 8, sharedRelaxed: 12, sharedPrepared: 24 };

/** Where every unit prepares its weights, each thread takes one of about equal size. */
function preparedStrip({ groups, needed }: RowSpace, threads: number): number {
  const share = Math.ceil((groups * needed) / (8 * threads)) * 8; // float-ok: small, rounded up
  const { alone, sharedPrepared } = PRODUCT_STRIP;
  return Math.min(alone, Math.max(sharedPrepared, share), (needed + 7) & ~7);
}

function unitRows(group: GroupDraft, threads: number, relaxed: Relaxed | undefined): number {
  if (group.strip !== undefined) return group.strip;
  if (!group.stages.some(({ sumColumns }) => sumColumns !== undefined)) return PLAIN_STRIP;
  if (threads === 1) return PRODUCT_STRIP.alone;
  if (group.stages.some(({ prepares }) => prepares)) return preparedStrip(group.space, threads);
  return relaxed === undefined ? PRODUCT_STRIP.shared : PRODUCT_STRIP.sharedRelaxed;
}

/** Rows of a unit without products. */
const PLAIN_STRIP = 16;

export interface PlacedValue {
  readonly value: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly count: number;
  readonly address: number;
}

/** Where everything lies in one executable's memory, and the command list. */
export interface MemoryPlan {
  readonly bytes: number;
  readonly constants: readonly ConstantEntry[];
  /** Records of the stages. */
  readonly code: { readonly address: number; readonly words: Int32Array };
  /** Address and length of the list of groups. */
  readonly list: { readonly address: number; readonly count: number };
  /** One counter word per group. */
  readonly counters: { readonly address: number; readonly count: number };
  readonly scratch: { readonly address: number; readonly bytes: number };
  /** Activations: free for packing weights before the first run. */
  readonly arena: { readonly address: number; readonly bytes: number };
  readonly input: PlacedValue;
  readonly outputs: readonly PlacedValue[];
  /** Values that stand whole in memory after each group. */
  readonly traced: readonly (readonly PlacedValue[])[];
}

interface Uses {
  readonly start: number;
  readonly end: number;
  readonly outside: boolean;
}

/** First and last group that touches each value, and whether a group that did not start it reads it. */
function findUses(groups: readonly GroupDraft[]): ReadonlyMap<string, Uses> {
  const uses = new Map<string, Uses>();
  for (const [index, group] of groups.entries()) {
    for (const stage of group.stages) {
      for (const ref of stage.reads) {
        if (!('value' in ref)) continue;
        const { start, outside } = uses.get(ref.value) ?? { start: -1, outside: true };
        uses.set(ref.value, { start, end: index, outside: outside || start !== index });
      }
      const made = uses.get(stage.result);
      uses.set(
        stage.result,
        made === undefined ? { start: index, end: index, outside: false } : { ...made, end: index },
      );
    }
  }
  return uses;
}

/** Operand words of what lies in the scratch of a thread. */
const local = (offset: number, stride: number): readonly number[] => [offset, 0, stride, 1];

class Encoder {
  readonly #planner: Planner;
  readonly #addresses: ReadonlyMap<string, number>;
  readonly #codeBase: number;
  readonly #unitRows: (group: GroupDraft) => number;
  readonly words: number[] = [];
  readonly list: number[] = [];
  scratchBytes = 0;

  constructor(
    planner: Planner,
    addresses: ReadonlyMap<string, number>,
    codeBase: number,
    unitRows: (group: GroupDraft) => number,
  ) {
    this.#planner = planner;
    this.#unitRows = unitRows;
    this.#addresses = addresses;
    this.#codeBase = codeBase;
  }

  #place(record: readonly number[]): number {
    const address = this.#codeBase + this.words.length * 4;
    // By index: thousands of records pass here once, in cold code.
    for (let i = 0; i < record.length; i++) this.words.push(record[i] as number);
    return address;
  }

  #placed(ref: Ref, dtype: DType): readonly number[] {
    const { bytes } = DTYPES[dtype];
    const base = 'value' in ref ? (this.#addresses.get(ref.value) ?? 0) : ref.address;
    const { offset, group, row } = ref.access;
    return [base + offset * bytes, group * bytes, row * bytes, 0];
  }

  /** A group's stages in scratch: rows of its own values, sums of its products, temporaries. */
  encode(group: GroupDraft, counter: number): void {
    const strip = this.#unitRows(group);
    const rows = (strip + 7) & ~7; // products write whole tiles of two halves
    const leases: Lease[] = [];
    const places = new Map<string, { readonly lease: number; readonly stride: number }>();
    const temps: number[] = [];
    const lastRead = new Map<string, number>();
    for (const [index, stage] of group.stages.entries()) {
      for (const ref of stage.reads) if ('value' in ref) lastRead.set(ref.value, index);
    }
    for (const [index, stage] of group.stages.entries()) {
      temps.push(leases.length);
      for (const bytes of stage.temps?.(strip) ?? []) leases.push({ start: index, end: index, bytes: bytes + 64 });
      const { dtype } = this.#planner.values.info(stage.result);
      const isSum = stage.sumColumns !== undefined;
      if (!isSum && this.#addresses.has(stage.result)) continue;
      const columns = stage.sumColumns ?? (stage.width + 7) & ~7;
      const stride = (columns * DTYPES[dtype].bytes + 15) & ~15;
      places.set(stage.result, { lease: leases.length, stride });
      leases.push({
        start: index,
        end: lastRead.get(stage.result) ?? index,
        bytes: (stage.sumRows?.(strip) ?? rows) * stride + 64,
      });
    }
    const { offsets, bytes } = allocate(leases);
    this.scratchBytes = Math.max(this.scratchBytes, bytes);
    const at = (lease: number): number => R.SCRATCH_TAIL_BYTES + (offsets[lease] as number);
    const inScratch = (name: string): readonly number[] | undefined => {
      const place = places.get(name);
      return place === undefined ? undefined : local(at(place.lease), place.stride);
    };
    const chain: number[][] = [];
    for (const [index, stage] of group.stages.entries()) {
      chain.push(
        stage.encode({
          resolve: (ref, dtype) => ('value' in ref ? inScratch(ref.value) : undefined) ?? this.#placed(ref, dtype),
          temp: (n) => at((temps[index] as number) + n),
          sum: () => inScratch(stage.result) ?? [],
          place: (record) => this.#place(record),
        }),
      );
      if (stage.sumColumns !== undefined && this.#addresses.has(stage.result)) {
        chain.push(this.#copy(stage, group, inScratch(stage.result) ?? []));
      }
    }
    const { groups, needed } = group.space;
    const each = Math.ceil(needed / strip); // float-ok: both small, rounded up
    const first = this.#place(chain.flat());
    this.list.push(groups * each, each, strip, needed, first, chain.length, counter);
  }

  /** Sums that others read, too. */
  #copy(stage: StageDraft, group: GroupDraft, from: readonly number[]): number[] {
    const record = startRecord(R.KIND_COPY, R.COPY_WORDS);
    record.splice(R.COPY_X, 4, ...from);
    const access = { offset: 0, group: group.space.rows * stage.width, row: stage.width };
    record.splice(R.COPY_OUT, 4, ...this.#placed({ value: stage.result, access }, 'i32'));
    record[R.COPY_BYTES] = stage.width * 4;
    return record;
  }
}

/**
 * Plans memory and commands of a program.
 *
 * @param outputs values to keep to the end of a run
 * @param threads how many run it: each has scratch of its own
 * @param relaxed the kernel of int8 products, where it is not the int16 one
 * @throws IvitError E_MEMORY beyond 4 GiB
 */
export function planProgram(
  program: ValidatedProgram,
  outputs: readonly string[],
  threads: number,
  relaxed?: Relaxed,
): MemoryPlan {
  const pool = new ConstantPool(R.CONTROL_BYTES);
  const needs = findNeeds(program, outputs);
  const kept = new Set(outputs);
  const planner = new Planner({ program, pool, relaxed }, needs, findRampPairs(program, kept));
  const groups = planner.plan();
  const uses = findUses(groups);

  const names: string[] = [];
  const leases: Lease[] = [];
  const lease = (name: string, start: number, end: number): void => {
    const { dtype, shape } = planner.values.info(name);
    names.push(name);
    leases.push({
      start,
      end: kept.has(name) ? groups.length : end,
      bytes: elementCount(shape) * DTYPES[dtype].bytes + 64,
    });
  };
  lease(program.input, -1, uses.get(program.input)?.end ?? 0);
  for (const [name, { start, end, outside }] of uses) {
    if (name === program.input) continue;
    const scattered = groups[start]?.scattered.has(name) ?? false;
    if (outside || scattered || kept.has(name)) lease(name, start, end);
  }
  const { offsets, bytes } = allocate(leases);
  const arena = { address: pool.end, bytes: Math.max(bytes, stagingBytes(pool.entries)) };
  const addresses = new Map(names.map((name, i) => [name, arena.address + (offsets[i] as number)]));

  const counters = { address: aligned(arena.address + arena.bytes + SLACK), count: groups.length };
  const listAddress = aligned(counters.address + counters.count * 4);
  const listBytes = groups.length * R.GROUP_WORDS * 4;
  const codeBase = aligned(listAddress + listBytes);
  const encoder = new Encoder(planner, addresses, codeBase, (group) => unitRows(group, threads, relaxed));
  for (const [index, group] of groups.entries()) encoder.encode(group, counters.address + index * 4);
  // The list comes first so that one array holds both.
  const gap = (codeBase - listAddress) >> 2;
  const words = new Int32Array(gap + encoder.words.length);
  words.set(encoder.list);
  words.set(encoder.words, gap);

  const scratchBase = aligned(codeBase + encoder.words.length * 4);
  const scratch = { address: scratchBase, bytes: aligned(R.SCRATCH_TAIL_BYTES + encoder.scratchBytes + SLACK) };
  const total = scratchBase + threads * scratch.bytes + SLACK;
  if (total > MOST_BYTES) {
    throw new IvitError('E_MEMORY', `The executable needs ${total} bytes, more than WebAssembly's 4 GiB`, {
      hint: 'Use a smaller model.',
    });
  }
  const lastMaker = new Map(
    groups.flatMap((group, index) => group.stages.map(({ result }) => [result, index] as const)),
  );
  // A value of several groups (concat) is whole after the last, where all of its first axis is needed.
  const isWhole = (name: string, group: GroupDraft, index: number): boolean =>
    lastMaker.get(name) === index &&
    group.space.needed === group.space.rows &&
    needs.get(name)?.[0] === planner.values.info(name).shape[0];
  const placed = (value: string): PlacedValue => {
    const { dtype, shape } = planner.values.info(value);
    return { value, dtype, shape, count: elementCount(shape), address: addresses.get(value) ?? 0 };
  };
  return {
    bytes: total,
    constants: pool.entries,
    code: { address: listAddress, words },
    list: { address: listAddress, count: groups.length },
    counters,
    scratch,
    arena,
    input: placed(program.input),
    outputs: outputs.map(placed),
    traced: groups.map((group, index) =>
      group.stages
        .map(({ result }) => result)
        .filter((name) => Object.hasOwn(program.values, name) && addresses.has(name) && isWhole(name, group, index))
        .map(placed),
    ),
  };
}

/** Weights pass through the arena on their way to the packed form, at least 16 rows at a time. */
function stagingBytes(entries: readonly ConstantEntry[]): number {
  return entries.reduce((most, entry) => Math.max(most, 'weights' in entry ? 16 * entry.columns + 64 : 0), 0);
}
