/**
 * Turns a program into groups of stages: ops that work row by row on the same rows become one chain, run unit by unit while
 * the rows are in cache; what moves between rows stands between the chains.
 */
import { type Interval, isDense, type MatmulOp, type Op, type Operand, type RequantizeOp } from '@ivit/program';
import { copyView, type DType, denseView, elementCount, makeArray, planView, type View } from '@ivit/tensor';
import { packedBytes } from './constants.js';
import { gatherGroup, meanGroup, packGroup, viewGroup } from './moves.js';
import type { Box } from './needs.js';
import {
  layernormStage,
  linearStage,
  lookupStage,
  matmulStage,
  ramplookupStage,
  rowquantizeStage,
  rowscaleStage,
  type StageSource,
  shiftgeluStage,
  softmaxStage,
} from './op-stages.js';
import { requantizeStage } from './requantize-stage.js';
import { broadcastView, collapse, type RowSpace, rowAccess, rowSpace, scalarAccess } from './rows.js';
import type { Ref, RowOrder, StageDraft } from './stage.js';

/** A chain streams at most so many bytes of weights per unit: they shall stay in the second-level cache. */
const CHAIN_WEIGHT_BYTES = 300 << 10;

export interface ValueInfo {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface GroupDraft {
  readonly space: RowSpace;
  /** Rows of a unit; undefined = for the encoder to choose. */
  readonly strip?: number;
  readonly stages: StageDraft[];
  /** Values whose rows lie in another order than the space's: others read them after the group only. */
  readonly scattered: Set<string>;
}

const dense = { offset: 0 };

export class Planner {
  readonly groups: GroupDraft[] = [];
  /** Values made besides the program's own: dense copies and packed operands. */
  readonly extra = new Map<string, ValueInfo>();
  readonly #source: StageSource;
  readonly #needs: ReadonlyMap<string, Box>;
  #current: GroupDraft | undefined;
  #made = new Set<string>();

  constructor(source: StageSource, needs: ReadonlyMap<string, Box>) {
    this.#source = source;
    this.#needs = needs;
  }

  valueInfo(name: string): ValueInfo {
    const info = this.#source.program.values[name] ?? this.extra.get(name);
    if (info === undefined) throw new RangeError(`no value ${name}`);
    return info;
  }

  plan(): readonly GroupDraft[] {
    for (const op of this.#source.program.ops) {
      if (this.#needs.has(op.result)) this.#add(op);
    }
    this.#close();
    return this.groups;
  }

  #close(): void {
    if (this.#current !== undefined) this.groups.push(this.#current);
    this.#current = undefined;
    this.#made = new Set();
  }

  #needOf(op: Op): Box {
    return this.#needs.get(op.result) ?? [];
  }

  #typeOf(operand: Operand): DType {
    if ('value' in operand) return this.valueInfo(operand.value).dtype;
    return this.#source.program.constants[operand.constant]?.dtype ?? 'i32';
  }

  #viewOf(operand: Operand): View {
    const shape =
      'value' in operand
        ? this.valueInfo(operand.value).shape
        : (this.#source.program.constants[operand.constant]?.shape ?? []);
    return operand.view ?? denseView(shape);
  }

  #intervalOf(operand: Operand): Interval {
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

  /** Whether rows of a view are the value's own rows, in order and whole. */
  #ownRows(name: string, view: View): boolean {
    const { shape } = this.valueInfo(name);
    const sameRows = (view.shape[view.shape.length - 1] ?? 1) === (shape[shape.length - 1] ?? 1);
    return sameRows && isDense(view, elementCount(shape));
  }

  /** A dense copy of a view, made by a group of its own. */
  #copied(name: string, view: View): string {
    const { dtype } = this.valueInfo(name);
    const copy = `#view ${this.extra.size}`;
    this.extra.set(copy, { dtype, shape: view.shape });
    this.groups.push(viewGroup(name, copy, view, dtype));
    return copy;
  }

  /**
   * Rows of an operand. Closes the current chain if the operand is made there and its rows are not read as they are made.
   *
   * @param space rows of the chain that the op could join
   * @param scalar one element a row instead of a row
   */
  #rows(operand: Operand, space: RowSpace, view: View = this.#viewOf(operand), scalar = false): Ref {
    const access = scalar ? scalarAccess(view) : rowAccess(view);
    if ('constant' in operand) {
      const constant = this.#source.program.constants[operand.constant];
      if (constant === undefined) throw new RangeError(`no constant ${operand.constant}`);
      if (access !== undefined) return { address: this.#source.pool.dense(operand.constant, constant), access };
      const copy = makeArray(constant.dtype, elementCount(view.shape));
      copyView(copy, 0, constant.data, 0, planView(view));
      return { address: this.#source.pool.bytes(copy), access: this.#denseAccess(view.shape, scalar) };
    }
    const { value } = operand;
    if (this.#made.has(value)) {
      const aligned = scalar ? isDense(view, elementCount(this.valueInfo(value).shape)) : this.#ownRows(value, view);
      if (aligned && this.#fits(space) && !this.#current?.scattered.has(value)) {
        return { value, access: this.#denseAccess(view.shape, scalar) };
      }
      this.#close();
    }
    if (access !== undefined) return { value, access };
    return { value: this.#copied(value, view), access: this.#denseAccess(view.shape, scalar) };
  }

  #denseAccess(shape: readonly number[], scalar: boolean): Ref['access'] {
    const view = denseView(shape);
    return (scalar ? scalarAccess(view) : rowAccess(view)) ?? { ...dense, group: 0, row: 0 };
  }

  #fits(space: RowSpace): boolean {
    const own = this.#current?.space;
    return own !== undefined && own.groups === space.groups && own.rows === space.rows && own.needed === space.needed;
  }

  /** Where an op's result rows go. */
  #result(name: string, space: RowSpace): Ref {
    const { shape } = this.valueInfo(name);
    const width = shape[shape.length - 1] ?? 1;
    return { value: name, access: { offset: 0, group: space.rows * width, row: width } };
  }

  #append(space: RowSpace, stage: StageDraft): GroupDraft {
    const streamed = this.#current?.stages.reduce((bytes, { weightBytes = 0 }) => bytes + weightBytes, 0) ?? 0;
    const heavy = streamed > 0 && streamed + (stage.weightBytes ?? 0) > CHAIN_WEIGHT_BYTES;
    if (this.#current === undefined || !this.#fits(space) || (heavy && (stage.weightBytes ?? 0) > 0)) {
      this.#close();
      this.#current = { space, stages: [], scattered: new Set() };
    }
    this.#current.stages.push(stage);
    this.#made.add(stage.result);
    return this.#current;
  }

  #add(op: Op): void {
    const { program } = this.#source;
    switch (op.op) {
      case 'gather':
      case 'mean':
      case 'concat':
        this.#close();
        this.#move(op);
        return;
      case 'requantize':
        this.#requantize(op);
        return;
      case 'matmul':
        this.#matmul(op);
        return;
      case 'lookup':
        this.#lookup(op);
        return;
      default: {
        const { shape } = this.valueInfo(op.result);
        const space =
          op.op === 'rowscale' ? rowSpace([...shape, 1], [...this.#needOf(op), 1]) : rowSpace(shape, this.#needOf(op));
        const x = this.#rows(op.x, space);
        const type = this.#typeOf(op.x);
        const xShape = this.#viewOf(op.x).shape;
        const columns = xShape[xShape.length - 1] as number;
        const out: Ref =
          op.op === 'rowscale'
            ? { value: op.result, access: { offset: 0, group: space.rows, row: 1 } }
            : this.#result(op.result, space);
        const source = this.#source;
        if (op.op === 'linear') {
          this.#append(space, linearStage(source, op, x));
        } else if (op.op === 'rowquantize') {
          const row = this.#rows(op.row, space, this.#viewOf(op.row), true);
          const width = op.channels === undefined ? columns : (program.constants[op.channels]?.data.length ?? 0);
          this.#append(space, rowquantizeStage(source, op, x, row, width, out));
        } else if (op.op === 'rowscale') {
          this.#append(space, rowscaleStage(source, op, x, columns, out));
        } else if (op.op === 'softmax') {
          this.#append(space, softmaxStage(source, op, x, type, columns, out));
        } else if (op.op === 'shiftgelu') {
          this.#append(space, shiftgeluStage(source, op, x, columns, out));
        } else if (op.op === 'layernorm') {
          this.#append(space, layernormStage(source, op, x, type, columns, out));
        } else {
          this.#append(space, ramplookupStage(source, op, x, columns, out));
        }
      }
    }
  }

  /** Shared tables do not care where rows end: short rows are joined. */
  #lookup(op: Extract<Op, { op: 'lookup' }>): void {
    const { shape } = this.valueInfo(op.result);
    const view = this.#viewOf(op.x);
    const whole = this.#needOf(op).every((size, axis) => size === shape[axis]);
    const joined = [...shape];
    while (whole && joined.length > 2 && (joined[joined.length - 1] as number) < 256) {
      joined.push((joined.pop() as number) * (joined.pop() as number));
    }
    const flat =
      joined.length < shape.length && isDense(view, elementCount(view.shape)) ? denseView(joined) : undefined;
    const space = flat === undefined ? rowSpace(shape, this.#needOf(op)) : rowSpace(joined);
    const x = this.#rows(op.x, space, flat ?? view);
    const width = (flat?.shape ?? shape).at(-1) ?? 1;
    const out: Ref = { value: op.result, access: { offset: 0, group: space.rows * width, row: width } };
    const group = this.#append(space, lookupStage(this.#source, op, x, this.#typeOf(op.x), width, out));
    if (flat !== undefined) group.scattered.add(op.result);
  }

  #matmul(op: MatmulOp): void {
    const { shape } = this.valueInfo(op.result);
    const space = rowSpace(shape, this.#needOf(op));
    const view = this.#viewOf(op.b);
    const [k, n] = view.shape.slice(-2) as [number, number];
    const b = this.#packed(op.b, view, space.groups);
    const a = this.#rows(op.a, space);
    const stage = matmulStage(op, a, this.#typeOf(op.a), k, n, b);
    this.#append(space, stage);
  }

  /** The right side of a product, packed by a group of its own before the chain. */
  #packed(operand: Operand, view: View, groups: number): Ref {
    let source = operand;
    let shown = view;
    if ('value' in operand && this.#made.has(operand.value)) this.#close();
    const lead = view.shape.length - 2;
    if (collapse(view.shape.slice(0, lead), view.strides.slice(0, lead)) === undefined) {
      if ('value' in operand) source = { value: this.#copied(operand.value, view) };
      shown = denseView(view.shape);
    }
    const [k, n] = view.shape.slice(-2) as [number, number];
    const name = `#packed ${this.extra.size}`;
    this.extra.set(name, { dtype: 'i8', shape: [groups, packedBytes(k, n)] });
    const x = 'value' in source ? source.value : this.#constantCopy(source.constant, view, shown);
    this.groups.push(packGroup(x, name, shown, groups));
    return { value: name, access: { offset: 0, group: 0, row: 0 } };
  }

  /** Address of a constant, copied dense where `shown` is not the view itself. */
  #constantCopy(name: string, view: View, shown: View): number {
    const constant = this.#source.program.constants[name];
    if (constant === undefined) throw new RangeError(`no constant ${name}`);
    if (shown === view) return this.#source.pool.dense(name, constant);
    const copy = makeArray(constant.dtype, elementCount(view.shape));
    copyView(copy, 0, constant.data, 0, planView(view));
    return this.#source.pool.bytes(copy);
  }

  #requantize(op: RequantizeOp): void {
    const need = this.#needOf(op);
    const { shape } = this.valueInfo(op.result);
    const view = this.#viewOf(op.x);
    const turned = this.#turned(op, view, need);
    const space = turned?.space ?? rowSpace(shape, need);
    const x = turned?.x ?? this.#rows(op.x, space);
    const row = op.row === undefined ? undefined : this.#rows(op.row, space, this.#viewOf(op.row), true);
    const order: RowOrder = turned?.order ?? { group: space.rows, row: 1 };
    const width = shape[shape.length - 1] ?? 1;
    let addend: { readonly ref: Ref; readonly dtype: DType; readonly interval: Interval } | undefined;
    if (op.addend !== undefined) {
      const { operand } = op.addend;
      const ref = this.#rows(operand, space, broadcastView(this.#viewOf(operand), shape));
      addend = { ref, dtype: this.#typeOf(operand), interval: this.#intervalOf(operand) };
    }
    const out: Ref = {
      value: op.result,
      access: { offset: 0, group: order.group * width, row: order.row * width },
    };
    const stage = requantizeStage(
      this.#source.program,
      op,
      {
        x,
        xType: this.#typeOf(op.x),
        xShape: view.shape,
        xInterval: this.#intervalOf(op.x),
        out,
        order,
        ...(row === undefined || op.row === undefined ? {} : { row, rowInterval: this.#intervalOf(op.row) }),
        ...(addend === undefined ? {} : { addend }),
      },
      this.#source.pool,
    );
    const group = this.#append(space, stage);
    if (turned !== undefined) group.scattered.add(op.result);
  }

  /** x is the chain's own value with its two row axes exchanged: the chain goes on, and writes its rows where they belong. */
  #turned(
    op: RequantizeOp,
    view: View,
    need: Box,
  ): { readonly space: RowSpace; readonly x: Ref; readonly order: RowOrder } | undefined {
    const current = this.#current;
    if (current === undefined || !('value' in op.x) || !this.#made.has(op.x.value)) return undefined;
    if (op.row !== undefined || op.addend !== undefined || view.shape.length !== 3) return undefined;
    const { groups, rows, needed } = current.space;
    const [first, second, width] = view.shape as [number, number, number];
    const [outer, middle, inner] = view.strides as [number, number, number];
    const exchanged =
      first === rows && second === groups && outer === width && middle === rows * width && (inner === 1 || width === 1);
    const made = this.valueInfo(op.x.value).shape;
    const own = made.length >= 2 && made[made.length - 1] === width && elementCount(made) === rows * groups * width;
    if (!exchanged || !own || view.offset !== 0 || current.scattered.has(op.x.value)) return undefined;
    if (need[0] !== needed || need[1] !== groups || groups === 1) return undefined;
    const x: Ref = { value: op.x.value, access: { offset: 0, group: rows * width, row: width } };
    return { space: current.space, x, order: { group: 1, row: groups } };
  }

  #move(op: Extract<Op, { op: 'gather' | 'mean' | 'concat' }>): void {
    if (op.op === 'concat') {
      const box = this.#needOf(op);
      let start = 0;
      for (const operand of op.operands) {
        const view = this.#viewOf(operand);
        const size = view.shape[0] as number;
        if (start < (box[0] as number)) {
          const inner = elementCount(view.shape.slice(1));
          this.groups.push(viewGroup(this.#whole(operand), op.result, view, this.#typeOf(operand), start * inner));
        }
        start += size;
      }
      return;
    }
    const view = this.#viewOf(op.x);
    const type = this.#typeOf(op.x);
    let x = this.#whole(op.x);
    let { offset } = view;
    const contiguous = isDense({ ...view, offset: 0 }, elementCount(view.shape));
    if (!contiguous) {
      x =
        'value' in op.x
          ? this.#copied(op.x.value, view)
          : this.#constantCopy(op.x.constant, view, denseView(view.shape));
      offset = 0;
    }
    if (op.op === 'mean') {
      this.groups.push(meanGroup(x, op.result, view.shape, op.axis, type, offset));
      return;
    }
    const rows = this.#source.program.constants[op.rows];
    if (rows === undefined) throw new RangeError(`no constant ${op.rows}`);
    const address = this.#source.pool.dense(op.rows, rows);
    this.groups.push(gatherGroup(x, op.result, address, rows.data.length, op.width, type, offset));
  }

  /** A value's name or a constant's address. */
  #whole(operand: Operand): string | number {
    if ('value' in operand) return operand.value;
    const constant = this.#source.program.constants[operand.constant];
    if (constant === undefined) throw new RangeError(`no constant ${operand.constant}`);
    return this.#source.pool.dense(operand.constant, constant);
  }
}
