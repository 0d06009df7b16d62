/** Writes the command list of drafts whose values have their addresses. */
import { allocate, DTYPES, type DType, type Lease } from '@ivit/tensor';
import * as R from '../record-layout.js';
import type { Planner } from './planner.js';
import type { RowSpace } from './rows.js';
import { type GroupDraft, type Ref, type Relaxed, type StageDraft, startRecord } from './stage.js';

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

export function unitRows(group: GroupDraft, threads: number, relaxed: Relaxed | undefined): number {
  if (group.strip !== undefined) return group.strip;
  if (!group.stages.some(({ sumColumns }) => sumColumns !== undefined)) return PLAIN_STRIP;
  if (threads === 1) return PRODUCT_STRIP.alone;
  if (group.stages.some(({ prepares }) => prepares)) return preparedStrip(group.space, threads);
  return relaxed === undefined ? PRODUCT_STRIP.shared : PRODUCT_STRIP.sharedRelaxed;
}

/** Rows of a unit without products. */
const PLAIN_STRIP = 16;

/** Operand words of what lies in the scratch of a thread. */
const local = (offset: number, stride: number): readonly number[] => [offset, 0, stride, 1];

export class Encoder {
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
