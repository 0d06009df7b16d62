/** The groups of a plan in order, and the chain that the next op may join. */

import type { Box, RequantizeOp } from '@ivit/program';
import { elementCount, type View } from '@ivit/tensor';
import type { RowSpace } from './rows.js';
import type { GroupDraft, Ref, RowOrder, StageDraft } from './stage.js';
import type { PlanValues } from './values.js';

/** A chain streams at most so many bytes of weights per unit: they shall stay in the second-level cache. */
const CHAIN_WEIGHT_BYTES = 300 << 10;

export class Chains {
  readonly #groups: GroupDraft[] = [];
  #current: GroupDraft | undefined;
  #made = new Set<string>();

  get current(): GroupDraft | undefined {
    return this.#current;
  }

  /** Whether the open chain makes a value. */
  makes(value: string): boolean {
    return this.#made.has(value);
  }

  /** Whether an op over these rows may join the open chain. */
  fits(space: RowSpace): boolean {
    const own = this.#current?.space;
    return own !== undefined && own.groups === space.groups && own.rows === space.rows && own.needed === space.needed;
  }

  /** A group of its own, before the open chain. */
  add(group: GroupDraft): void {
    this.#groups.push(group);
  }

  append(space: RowSpace, stage: StageDraft): GroupDraft {
    const streamed = this.#current?.stages.reduce((bytes, { weightBytes = 0 }) => bytes + weightBytes, 0) ?? 0;
    const heavy = streamed > 0 && streamed + (stage.weightBytes ?? 0) > CHAIN_WEIGHT_BYTES;
    if (this.#current === undefined || !this.fits(space) || (heavy && (stage.weightBytes ?? 0) > 0)) {
      this.close();
      this.#current = { space, stages: [], scattered: new Set() };
    }
    this.#current.stages.push(stage);
    this.#made.add(stage.result);
    return this.#current;
  }

  close(): void {
    if (this.#current !== undefined) this.#groups.push(this.#current);
    this.#current = undefined;
    this.#made = new Set();
  }

  finish(): readonly GroupDraft[] {
    this.close();
    return this.#groups;
  }
}

/** x is the chain's own value with its two row axes exchanged: the chain goes on, and writes its rows where they belong. */
export function turnedRows(
  chains: Chains,
  values: PlanValues,
  op: RequantizeOp,
  view: View,
  need: Box,
): { readonly space: RowSpace; readonly x: Ref; readonly order: RowOrder } | undefined {
  const current = chains.current;
  if (current === undefined || !('value' in op.x) || !chains.makes(op.x.value)) return undefined;
  if (op.row !== undefined || op.addend !== undefined || view.shape.length !== 3) return undefined;
  const { groups, rows, needed } = current.space;
  const [first, second, width] = view.shape as [number, number, number];
  const [outer, middle, inner] = view.strides as [number, number, number];
  const exchanged =
    first === rows && second === groups && outer === width && middle === rows * width && (inner === 1 || width === 1);
  const made = values.info(op.x.value).shape;
  const own = made.length >= 2 && made[made.length - 1] === width && elementCount(made) === rows * groups * width;
  if (!exchanged || !own || view.offset !== 0 || current.scattered.has(op.x.value)) return undefined;
  if (need[0] !== needed || need[1] !== groups || groups === 1) return undefined;
  const x: Ref = { value: op.x.value, access: { offset: 0, group: rows * width, row: width } };
  return { space: current.space, x, order: { group: 1, row: groups } };
}
