/** Plans a program: what lies where in one executable's memory, and the commands that run it. */
import { findNeeds, IvitError, type ValidatedProgram } from '@ivit/program';
import { aligned, allocate, DTYPES, type DType, elementCount, type Lease } from '@ivit/tensor';
import * as R from '../record-layout.js';
import { type ConstantEntry, ConstantPool } from './constants.js';
import { Encoder, unitRows } from './encode.js';
import { Planner } from './planner.js';
import { findRampPairs } from './ramp-map.js';
import type { GroupDraft, Relaxed } from './stage.js';

/** Loops of eight read so far past the end of what they need. */
const SLACK = 256;
/** 65536 pages of 65536 bytes. */
const MOST_BYTES = 4294967296;

export interface PlacedValue {
  readonly value: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly count: number;
  readonly address: number;
}

/** A command list over an arena of its own, and where its parts lie. */
export interface ListPlan {
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
}

/** Lists that one thread runs alone, each for an image of its own. */
export interface LanePlan {
  /** What they add to the executable's bytes. */
  readonly bytes: number;
  lay(thread: number): ListPlan;
}

/** Where everything lies in one executable's memory, and the command list. */
export interface MemoryPlan extends ListPlan {
  /** Without the lanes. */
  readonly bytes: number;
  readonly constants: readonly ConstantEntry[];
  /** There where they were asked for and there is room. */
  readonly lanes: LanePlan | undefined;
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

/**
 * Plans memory and commands of a program.
 *
 * @param outputs values to keep to the end of a run
 * @param threads how many run it: each has scratch of its own
 * @param relaxed the kernel of int8 products, where it is not the int16 one
 * @param withLanes also lists that a thread runs alone
 * @throws IvitError E_MEMORY beyond 4 GiB
 */
export function planProgram(
  program: ValidatedProgram,
  outputs: readonly string[],
  threads: number,
  relaxed?: Relaxed,
  withLanes = false,
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
  const placed = (value: string, addresses: ReadonlyMap<string, number>): PlacedValue => {
    const { dtype, shape } = planner.values.info(value);
    return { value, dtype, shape, count: elementCount(shape), address: addresses.get(value) ?? 0 };
  };

  /** The list from an address on, for so many threads that run it together. */
  const lay = (base: number, arenaBytes: number, together: number): ListPlan & LaidOut => {
    const arena = { address: base, bytes: arenaBytes };
    const addresses = new Map(names.map((name, i) => [name, base + (offsets[i] as number)]));
    const counters = { address: aligned(base + arenaBytes + SLACK), count: groups.length };
    const listAddress = aligned(counters.address + counters.count * 4);
    const codeBase = aligned(listAddress + groups.length * R.GROUP_WORDS * 4);
    const encoder = new Encoder(planner, addresses, codeBase, (group) => unitRows(group, together, relaxed));
    for (const [index, group] of groups.entries()) encoder.encode(group, counters.address + index * 4);
    // The list comes first so that one array holds both.
    const gap = (codeBase - listAddress) >> 2;
    const words = new Int32Array(gap + encoder.words.length);
    words.set(encoder.list);
    words.set(encoder.words, gap);
    const scratchBase = aligned(codeBase + encoder.words.length * 4);
    const scratch = { address: scratchBase, bytes: aligned(R.SCRATCH_TAIL_BYTES + encoder.scratchBytes + SLACK) };
    return {
      code: { address: listAddress, words },
      list: { address: listAddress, count: groups.length },
      counters,
      scratch,
      arena,
      input: placed(program.input, addresses),
      outputs: outputs.map((value) => placed(value, addresses)),
      addresses,
      end: scratchBase + together * scratch.bytes + SLACK,
    };
  };

  const main = lay(pool.end, Math.max(bytes, stagingBytes(pool.entries)), threads);
  if (main.end > MOST_BYTES) {
    throw new IvitError('E_MEMORY', `The executable needs ${main.end} bytes, more than WebAssembly's 4 GiB`, {
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
  return {
    ...main,
    bytes: main.end,
    constants: pool.entries,
    lanes: withLanes ? lanesFrom(main.end, (base) => lay(base, bytes, 1), threads) : undefined,
    traced: groups.map((group, index) =>
      group.stages
        .map(({ result }) => result)
        .filter(
          (name) => Object.hasOwn(program.values, name) && main.addresses.has(name) && isWhole(name, group, index),
        )
        .map((name) => placed(name, main.addresses)),
    ),
  };
}

interface LaidOut {
  readonly addresses: ReadonlyMap<string, number>;
  readonly end: number;
}

/** One lane per thread behind everything else; undefined beyond 4 GiB. */
function lanesFrom(end: number, lay: (base: number) => ListPlan & LaidOut, threads: number): LanePlan | undefined {
  const start = aligned(end);
  const first = lay(start);
  const each = aligned(first.end) - start;
  if (start + threads * each > MOST_BYTES) return undefined;
  return {
    bytes: start + threads * each - end,
    // The others only when a batch comes: writing a list takes milliseconds.
    lay: (thread) => (thread === 0 ? first : lay(start + thread * each)),
  };
}

/** Weights pass through the arena on their way to the packed form, at least 16 rows at a time. */
function stagingBytes(entries: readonly ConstantEntry[]): number {
  return entries.reduce((most, entry) => Math.max(most, 'weights' in entry ? 16 * entry.columns + 64 : 0), 0);
}
