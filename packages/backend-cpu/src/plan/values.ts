/** What the planner knows about the values it reads and makes. */
import type { Interval, Operand } from '@ivit/program';
import { copyView, type DType, denseView, elementCount, makeArray, planView, type View } from '@ivit/tensor';
import type { StageSource } from './stage.js';

export interface ValueInfo {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export class PlanValues {
  readonly #source: StageSource;
  /** Values made besides the program's own: dense copies and packed operands. */
  readonly #extra = new Map<string, ValueInfo>();

  constructor(source: StageSource) {
    this.#source = source;
  }

  info(name: string): ValueInfo {
    const info = this.#source.program.values[name] ?? this.#extra.get(name);
    if (info === undefined) throw new RangeError(`no value ${name}`);
    return info;
  }

  /** Names a value that is none of the program's. */
  make(kind: 'view' | 'packed', info: ValueInfo): string {
    const name = `#${kind} ${this.#extra.size}`;
    this.#extra.set(name, info);
    return name;
  }

  typeOf(operand: Operand): DType {
    if ('value' in operand) return this.info(operand.value).dtype;
    return this.#source.program.constants[operand.constant]?.dtype ?? 'i32';
  }

  viewOf(operand: Operand): View {
    const shape =
      'value' in operand
        ? this.info(operand.value).shape
        : (this.#source.program.constants[operand.constant]?.shape ?? []);
    return operand.view ?? denseView(shape);
  }

  intervalOf(operand: Operand): Interval {
    if ('value' in operand) return this.#source.program.facts.intervals[operand.value] as Interval;
    const data = this.#source.program.constants[operand.constant]?.data ?? [];
    let lo = 0;
    let hi = 0;
    for (let i = 0; i < data.length; i++) {
      const entry = data[i] as number;
      if (entry < lo) lo = entry;
      else if (entry > hi) hi = entry;
    }
    return { lo, hi };
  }

  /** A value's name or a constant's address. */
  whole(operand: Operand): string | number {
    if ('value' in operand) return operand.value;
    const constant = this.#source.program.constants[operand.constant];
    if (constant === undefined) throw new RangeError(`no constant ${operand.constant}`);
    return this.#source.pool.dense(operand.constant, constant);
  }

  /** Address of a constant, copied dense where `shown` is not the view itself. */
  constantCopy(name: string, view: View, shown?: View): number {
    const constant = this.#source.program.constants[name];
    if (constant === undefined) throw new RangeError(`no constant ${name}`);
    if (shown === view) return this.#source.pool.dense(name, constant);
    const copy = makeArray(constant.dtype, elementCount(view.shape));
    copyView(copy, 0, constant.data, 0, planView(view));
    return this.#source.pool.bytes(copy);
  }
}
