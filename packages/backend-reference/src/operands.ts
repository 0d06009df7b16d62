import type { Constant, IntArray, Operand, ValidatedProgram, View } from '@ivit/program';
import { isDense } from '@ivit/program';
import { broadcastView, copyView, denseView, elementCount, makeArray, planView } from '@ivit/tensor';

/** An operand as the kernels read it: dense, in the order of its view. */
export interface DenseOperand {
  readonly data: IntArray;
  readonly shape: readonly number[];
  /** Copies the view's elements into `data`; nothing to do for an operand that is dense already. */
  readonly refresh: (() => void) | undefined;
}

/** Where the values of one image live while the program runs. */
export interface Memory {
  readonly arrays: ReadonlyMap<string, IntArray>;
  readonly bytes: number;
}

/** Resolves operands against the values' memory and the program's constants. */
export class OperandReader {
  readonly #program: ValidatedProgram;
  readonly #memory: Memory;
  /** Bytes of the copies made for views. */
  scratchBytes = 0;

  constructor(program: ValidatedProgram, memory: Memory) {
    this.#program = program;
    this.#memory = memory;
  }

  constant(name: string): Constant {
    return this.#program.constants[name] as Constant;
  }

  data(name: string): IntArray {
    return this.#memory.arrays.get(name) as IntArray;
  }

  #source(operand: Operand): { readonly data: IntArray; readonly shape: readonly number[] } {
    if ('constant' in operand) return this.constant(operand.constant);
    return { data: this.data(operand.value), shape: this.#program.values[operand.value]?.shape as readonly number[] };
  }

  /** @param broadcast read the operand as if it had this shape (missing leading axes and sizes of 1 repeat). */
  dense(operand: Operand, broadcast?: readonly number[]): DenseOperand {
    const source = this.#source(operand);
    let view: View = operand.view ?? denseView(source.shape);
    if (broadcast !== undefined) view = broadcastView(view, broadcast);
    if (isDense(view, source.data.length)) return { data: source.data, shape: view.shape, refresh: undefined };
    const dtype =
      'constant' in operand ? this.constant(operand.constant).dtype : this.#program.values[operand.value]?.dtype;
    const data = makeArray(dtype ?? 'i32', elementCount(view.shape));
    this.scratchBytes += data.byteLength;
    const plan = planView(view);
    const copy = (): void => copyView(data, 0, source.data, 0, plan);
    if ('constant' in operand) {
      copy();
      return { data, shape: view.shape, refresh: undefined };
    }
    return { data, shape: view.shape, refresh: copy };
  }
}
