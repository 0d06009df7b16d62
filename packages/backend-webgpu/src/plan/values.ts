/** What the planner knows of values and constants. */
import type { Constant, Operand, ValidatedProgram, ValueType } from '@ivit/program';
import { type DType, denseView, type View } from '@ivit/tensor';

export class PlanValues {
  readonly program: ValidatedProgram;
  readonly #extra = new Map<string, ValueType>();

  constructor(program: ValidatedProgram) {
    this.program = program;
  }

  type(name: string): ValueType {
    const type = this.program.values[name] ?? this.#extra.get(name);
    if (type === undefined) throw new RangeError(`no value ${name}`);
    return type;
  }

  constant(name: string): Constant {
    const constant = this.program.constants[name];
    if (constant === undefined) throw new RangeError(`no constant ${name}`);
    return constant;
  }

  /** Names a value that is none of the program's. */
  make(type: ValueType): string {
    const name = `#${this.#extra.size}`;
    this.#extra.set(name, type);
    return name;
  }

  typeOf(operand: Operand): DType {
    return this.#source(operand).dtype;
  }

  viewOf(operand: Operand): View {
    return operand.view ?? denseView(this.#source(operand).shape);
  }

  #source(operand: Operand): ValueType {
    return 'value' in operand ? this.type(operand.value) : this.constant(operand.constant);
  }
}
