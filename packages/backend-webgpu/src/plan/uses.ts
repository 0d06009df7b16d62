/** Who makes and who reads a value: what decides whether ops may run as one dispatch. */
import type { Op, Operand, Program } from '@ivit/program';

/** Every operand that an op reads. */
export function operandsOf(op: Op): readonly Operand[] {
  switch (op.op) {
    case 'requantize':
      return [op.x, ...(op.row === undefined ? [] : [op.row]), ...(op.addend === undefined ? [] : [op.addend.operand])];
    case 'rowquantize':
      return [op.x, op.row];
    case 'matmul':
      return [op.a, op.b];
    case 'concat':
      return op.operands;
    default:
      return [op.x];
  }
}

export class Uses {
  readonly #makers = new Map<string, Op>();
  readonly #readers = new Map<string, Op[]>();
  readonly #kept: ReadonlySet<string>;
  readonly #order: ReadonlyMap<Op, number>;

  /** @param kept values that are handed out, and so must be made on their own */
  constructor(program: Program, kept: Iterable<string>) {
    this.#kept = new Set([program.output, ...kept]);
    this.#order = new Map(program.ops.map((op, index) => [op, index]));
    for (const op of program.ops) {
      this.#makers.set(op.result, op);
      for (const operand of operandsOf(op)) {
        if (!('value' in operand)) continue;
        const readers = this.#readers.get(operand.value) ?? [];
        if (!readers.includes(op)) readers.push(op);
        this.#readers.set(operand.value, readers);
      }
    }
  }

  maker(value: string): Op | undefined {
    return this.#makers.get(value);
  }

  /** Ops that read a value, in order. */
  readers(value: string): readonly Op[] {
    return this.#readers.get(value) ?? [];
  }

  isKept(value: string): boolean {
    return this.#kept.has(value);
  }

  /** Whether all who read a value stand behind an op. */
  readBehind(value: string, op: Op): boolean {
    const place = (one: Op): number => this.#order.get(one) ?? -1;
    return this.readers(value).every((reader) => place(reader) > place(op));
  }

  /** The only op that reads a value, once, where nobody else needs it; `beside` is left out of account. */
  onlyReader(value: string, beside?: Op): Op | undefined {
    const [reader, other] = this.readers(value).filter((op) => op !== beside);
    if (reader === undefined || other !== undefined || this.#kept.has(value)) return undefined;
    const reads = operandsOf(reader).filter((operand) => 'value' in operand && operand.value === value);
    return reads.length === 1 ? reader : undefined;
  }

  /** Whether nobody but these ops needs a value. */
  within(value: string, ops: readonly Op[]): boolean {
    return !this.#kept.has(value) && this.readers(value).every((reader) => ops.includes(reader));
  }
}
