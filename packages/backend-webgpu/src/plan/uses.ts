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

  /** @param kept values that are handed out, and so must be made on their own */
  constructor(program: Program, kept: Iterable<string>) {
    this.#kept = new Set([program.output, ...kept]);
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

  /** The only op that reads a value, once, where nobody else needs it. */
  onlyReader(value: string): Op | undefined {
    const [reader, other] = this.#readers.get(value) ?? [];
    if (reader === undefined || other !== undefined || this.#kept.has(value)) return undefined;
    const reads = operandsOf(reader).filter((operand) => 'value' in operand && operand.value === value);
    return reads.length === 1 ? reader : undefined;
  }

  /** Whether nobody but these ops needs a value. */
  within(value: string, ops: readonly Op[]): boolean {
    return !this.#kept.has(value) && (this.#readers.get(value) ?? []).every((reader) => ops.includes(reader));
  }
}
