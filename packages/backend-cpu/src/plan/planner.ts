/**
 * Turns a program into groups of stages: ops that work row by row on the same rows become one chain, run unit by unit while
 * the rows are in cache; what moves between rows stands between the chains.
 */
import {
  type Box,
  type Interval,
  isDense,
  type MatmulOp,
  type Op,
  type Operand,
  type RequantizeOp,
} from '@ivit/program';
import { broadcastView, type DType, denseView, elementCount, type View } from '@ivit/tensor';
import { Chains, turnedRows } from './chains.js';
import { packedBytes, relaxedBytes } from './constants.js';
import { gatherGroup, meanGroup, packGroup, viewGroup } from './moves.js';
import { lookupStage, ramplookupStage, shiftgeluStage, softmaxStage } from './nonlinear-stages.js';
import { fewRowsStage, linearStage, matmulStage, packedOnce } from './product-stages.js';
import { type RampPair, rampMapStage } from './ramp-map.js';
import { requantizeStage } from './requantize-stage.js';
import { layernormStage, rowquantizeStage, rowscaleStage } from './row-stages.js';
import { collapse, type RowSpace, rowAccess, rowSpace, scalarAccess } from './rows.js';
import { type GroupDraft, type Ref, type Relaxed, type RowOrder, relaxedFrom, type StageSource } from './stage.js';
import { PlanValues } from './values.js';

export class Planner {
  readonly values: PlanValues;
  readonly #chains = new Chains();
  readonly #source: StageSource;
  readonly #needs: ReadonlyMap<string, Box>;
  readonly #ramps: ReadonlyMap<string, RampPair>;

  constructor(source: StageSource, needs: ReadonlyMap<string, Box>, ramps: ReadonlyMap<string, RampPair>) {
    this.#source = source;
    this.values = new PlanValues(source);
    this.#needs = needs;
    this.#ramps = ramps;
  }

  plan(): readonly GroupDraft[] {
    for (const op of this.#source.program.ops) {
      // A ramp of a pair is made with its other half.
      if (this.#needs.has(op.result) && !this.#ramps.has(op.result)) this.#add(op);
    }
    return this.#chains.finish();
  }

  #needOf(op: Op): Box {
    return this.#needs.get(op.result) ?? [];
  }

  /** Whether rows of a view are the value's own rows, in order and whole. */
  #ownRows(name: string, view: View): boolean {
    const { shape } = this.values.info(name);
    const sameRows = (view.shape[view.shape.length - 1] ?? 1) === (shape[shape.length - 1] ?? 1);
    return sameRows && isDense(view, elementCount(shape));
  }

  /** A dense copy of a view, made by a group of its own. */
  #copied(name: string, view: View): string {
    const { dtype } = this.values.info(name);
    const copy = this.values.make('view', { dtype, shape: view.shape });
    this.#chains.add(viewGroup(name, copy, view, dtype));
    return copy;
  }

  /**
   * Rows of an operand. Closes the current chain if the operand is made there and its rows are not read as they are made.
   *
   * @param space rows of the chain that the op could join
   * @param scalar one element a row instead of a row
   */
  #rows(operand: Operand, space: RowSpace, view: View = this.values.viewOf(operand), scalar = false): Ref {
    const access = scalar ? scalarAccess(view) : rowAccess(view);
    if ('constant' in operand) {
      const constant = this.#source.program.constants[operand.constant];
      if (constant === undefined) throw new RangeError(`no constant ${operand.constant}`);
      if (access !== undefined) return { address: this.#source.pool.dense(operand.constant, constant), access };
      const copy = this.values.constantCopy(operand.constant, view);
      return { address: copy, access: this.#denseAccess(view.shape, scalar) };
    }
    const { value } = operand;
    if (this.#chains.makes(value)) {
      const aligned = scalar ? isDense(view, elementCount(this.values.info(value).shape)) : this.#ownRows(value, view);
      if (aligned && this.#chains.fits(space) && !this.#chains.current?.scattered.has(value)) {
        return { value, access: this.#denseAccess(view.shape, scalar) };
      }
      this.#chains.close();
    }
    if (access !== undefined) return { value, access };
    return { value: this.#copied(value, view), access: this.#denseAccess(view.shape, scalar) };
  }

  #denseAccess(shape: readonly number[], scalar: boolean): Ref['access'] {
    const view = denseView(shape);
    return (scalar ? scalarAccess(view) : rowAccess(view)) ?? { offset: 0, group: 0, row: 0 };
  }

  /** Where an op's result rows go. */
  #result(name: string, space: RowSpace): Ref {
    const { shape } = this.values.info(name);
    const width = shape[shape.length - 1] ?? 1;
    return { value: name, access: { offset: 0, group: space.rows * width, row: width } };
  }

  #add(op: Op): void {
    const { program } = this.#source;
    switch (op.op) {
      case 'gather':
      case 'mean':
      case 'concat':
        this.#chains.close();
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
        const { shape } = this.values.info(op.result);
        const space =
          op.op === 'rowscale' ? rowSpace([...shape, 1], [...this.#needOf(op), 1]) : rowSpace(shape, this.#needOf(op));
        const x = this.#rows(op.x, space);
        const type = this.values.typeOf(op.x);
        const xShape = this.values.viewOf(op.x).shape;
        const columns = xShape[xShape.length - 1] as number;
        const out: Ref =
          op.op === 'rowscale'
            ? { value: op.result, access: { offset: 0, group: space.rows, row: 1 } }
            : this.#result(op.result, space);
        const source = this.#source;
        if (op.op === 'linear') {
          this.#chains.append(space, linearStage(source, op, x, space.needed));
        } else if (op.op === 'rowquantize') {
          const row = this.#rows(op.row, space, this.values.viewOf(op.row), true);
          const width = op.channels === undefined ? columns : (program.constants[op.channels]?.data.length ?? 0);
          this.#chains.append(space, rowquantizeStage(source, op, x, row, width, out));
        } else if (op.op === 'rowscale') {
          this.#chains.append(space, rowscaleStage(source, op, x, columns, out));
        } else if (op.op === 'softmax') {
          this.#chains.append(space, softmaxStage(source, op, x, type, columns, out));
        } else if (op.op === 'shiftgelu') {
          this.#chains.append(space, shiftgeluStage(source, op, x, columns, out));
        } else if (op.op === 'layernorm') {
          this.#chains.append(space, layernormStage(source, op, x, type, columns, out));
        } else {
          this.#chains.append(space, ramplookupStage(source, op, x, columns, out));
        }
      }
    }
  }

  /** Shared tables do not care where rows end: short rows are joined. */
  #lookup(op: Extract<Op, { op: 'lookup' }>): void {
    const { shape } = this.values.info(op.result);
    const view = this.values.viewOf(op.x);
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
    const group = this.#chains.append(space, lookupStage(this.#source, op, x, this.values.typeOf(op.x), width, out));
    if (flat !== undefined) group.scattered.add(op.result);
  }

  #matmul(op: MatmulOp): void {
    const { shape } = this.values.info(op.result);
    const space = rowSpace(shape, this.#needOf(op));
    const view = this.values.viewOf(op.b);
    const [k, n] = view.shape.slice(-2) as [number, number];
    const type = this.values.typeOf(op.a);
    const plain = type === 'i8' && op.log2 === undefined;
    if ('constant' in op.b && space.groups === 1 && op.log2 === undefined) {
      const a = this.#rows(op.a, space);
      const stage =
        fewRowsStage(this.#source, op.result, op.b.constant, a, type, space.needed, view) ??
        matmulStage(op, a, type, k, n, packedOnce(this.#source, op.b.constant, view), undefined);
      this.#chains.append(space, stage);
      return;
    }
    const relaxed = plain ? relaxedFrom(this.#source, () => this.values.intervalOf(op.b).lo) : undefined;
    const b = this.#packed(op.b, view, space.groups, relaxed, op.log2 !== undefined);
    const a = this.#rows(op.a, space);
    const stage = matmulStage(op, a, type, k, n, b, relaxed);
    this.#chains.append(space, stage);
  }

  /** The right side of a product, packed by a group of its own before the chain. */
  #packed(operand: Operand, view: View, groups: number, relaxed: Relaxed | undefined, negate: boolean): Ref {
    let source = operand;
    let shown = view;
    if ('value' in operand && this.#chains.makes(operand.value)) this.#chains.close();
    const lead = view.shape.length - 2;
    if (collapse(view.shape.slice(0, lead), view.strides.slice(0, lead)) === undefined) {
      if ('value' in operand) source = { value: this.#copied(operand.value, view) };
      shown = denseView(view.shape);
    }
    const [k, n] = view.shape.slice(-2) as [number, number];
    const name = this.values.make('packed', {
      dtype: 'i8',
      shape: [groups, (relaxed === undefined ? packedBytes : relaxedBytes)(k, n)],
    });
    const x = 'value' in source ? source.value : this.values.constantCopy(source.constant, view, shown);
    this.#chains.add(packGroup(x, name, shown, groups, relaxed, negate));
    return { value: name, access: { offset: 0, group: 0, row: 0 } };
  }

  #requantize(op: RequantizeOp): void {
    const need = this.#needOf(op);
    const { shape } = this.values.info(op.result);
    const pair = 'value' in op.x ? this.#ramps.get(op.x.value) : undefined;
    if (pair !== undefined) {
      const space = rowSpace(shape, need);
      const x = this.#rows(pair.ramp.x, space);
      const stage = rampMapStage(this.#source, pair, x, shape[shape.length - 1] ?? 1, this.#result(op.result, space));
      this.#chains.append(space, stage);
      return;
    }
    const view = this.values.viewOf(op.x);
    const turned = turnedRows(this.#chains, this.values, op, view, need);
    const space = turned?.space ?? rowSpace(shape, need);
    const x = turned?.x ?? this.#rows(op.x, space);
    const row = op.row === undefined ? undefined : this.#rows(op.row, space, this.values.viewOf(op.row), true);
    const order: RowOrder = turned?.order ?? { group: space.rows, row: 1 };
    const width = shape[shape.length - 1] ?? 1;
    let addend: { readonly ref: Ref; readonly dtype: DType; readonly interval: Interval } | undefined;
    if (op.addend !== undefined) {
      const { operand } = op.addend;
      const ref = this.#rows(operand, space, broadcastView(this.values.viewOf(operand), shape));
      addend = { ref, dtype: this.values.typeOf(operand), interval: this.values.intervalOf(operand) };
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
        xType: this.values.typeOf(op.x),
        xShape: view.shape,
        xInterval: this.values.intervalOf(op.x),
        out,
        order,
        ...(row === undefined || op.row === undefined ? {} : { row, rowInterval: this.values.intervalOf(op.row) }),
        ...(addend === undefined ? {} : { addend }),
      },
      this.#source.pool,
    );
    const group = this.#chains.append(space, stage);
    if (turned !== undefined) group.scattered.add(op.result);
  }

  #move(op: Extract<Op, { op: 'gather' | 'mean' | 'concat' }>): void {
    if (op.op === 'concat') {
      const box = this.#needOf(op);
      let start = 0;
      for (const operand of op.operands) {
        const view = this.values.viewOf(operand);
        const size = view.shape[0] as number;
        if (start < (box[0] as number)) {
          const inner = elementCount(view.shape.slice(1));
          this.#chains.add(
            viewGroup(this.values.whole(operand), op.result, view, this.values.typeOf(operand), start * inner),
          );
        }
        start += size;
      }
      return;
    }
    const view = this.values.viewOf(op.x);
    const type = this.values.typeOf(op.x);
    let x = this.values.whole(op.x);
    let { offset } = view;
    const contiguous = isDense({ ...view, offset: 0 }, elementCount(view.shape));
    if (!contiguous) {
      x =
        'value' in op.x
          ? this.#copied(op.x.value, view)
          : this.values.constantCopy(op.x.constant, view, denseView(view.shape));
      offset = 0;
    }
    if (op.op === 'mean') {
      this.#chains.add(meanGroup(x, op.result, view.shape, op.axis, type, offset));
      return;
    }
    const rows = this.#source.program.constants[op.rows];
    if (rows === undefined) throw new RangeError(`no constant ${op.rows}`);
    const address = this.#source.pool.dense(op.rows, rows);
    this.#chains.add(gatherGroup(x, op.result, address, rows.data.length, op.width, type, offset));
  }
}
