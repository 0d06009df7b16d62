/** `ramplookup` whose only reader is a `requantize` of one multiplier: one map of int16, see assembly/ramp-map.ts. */
import {
  isDense,
  type Op,
  type Operand,
  type Param,
  type RamplookupOp,
  type RequantizeOp,
  type ValidatedProgram,
} from '@ivit/program';
import { elementCount } from '@ivit/tensor';
import * as R from '../record-layout.js';
import { constantData, type Ref, type StageDraft, type StageSource, startRecord } from './stage.js';

/** A ramp's table may have so many entries, half of what 16-bit offsets reach; the map's upper end covers what most rows hold. */
const MOST_ENTRIES = 8192;
const LEAST_HIGH = 4095;

/** A pair of ops that becomes one stage. */
export interface RampPair {
  readonly ramp: RamplookupOp;
  readonly scale: RequantizeOp;
}

/** Every operand of an op that may be a value. */
function operandsOf(op: Op): readonly Operand[] {
  switch (op.op) {
    case 'matmul':
      return [op.a, op.b];
    case 'concat':
      return op.operands;
    case 'rowquantize':
      return [op.x, op.row];
    case 'requantize':
      return [op.x, ...(op.row === undefined ? [] : [op.row]), ...(op.addend === undefined ? [] : [op.addend.operand])];
    default:
      return [op.x];
  }
}

const isOne = (program: ValidatedProgram, param: Param): boolean =>
  typeof param === 'number' || program.constants[param.constant]?.data.length === 1;

/** The pairs of a program by the name of the ramp's result. `kept` values stay what they are. */
export function findRampPairs(program: ValidatedProgram, kept: ReadonlySet<string>): ReadonlyMap<string, RampPair> {
  const ramps = new Map<string, RamplookupOp>();
  for (const op of program.ops) {
    const entries = op.op === 'ramplookup' ? (program.constants[op.table]?.data.length ?? 0) : 0;
    if (op.op === 'ramplookup' && entries <= MOST_ENTRIES && !kept.has(op.result)) ramps.set(op.result, op);
  }
  const readers = new Map<string, Op[]>();
  for (const op of ramps.size === 0 ? [] : program.ops) {
    for (const operand of operandsOf(op)) {
      if ('value' in operand && ramps.has(operand.value)) {
        readers.set(operand.value, [...(readers.get(operand.value) ?? []), op]);
      }
    }
  }
  const pairs = new Map<string, RampPair>();
  for (const [name, ramp] of ramps) {
    const [scale, ...others] = readers.get(name) ?? [];
    if (scale?.op !== 'requantize' || others.length > 0 || scale.to !== 'i16') continue;
    if (scale.row !== undefined || scale.bias !== undefined || scale.addend !== undefined) continue;
    const { shape } = program.values[name] ?? { shape: [] };
    const view = scale.x.view;
    const whole = view === undefined || (view.shape.length === shape.length && isDense(view, elementCount(shape)));
    const plain = scale.channels === undefined && [scale.m, scale.e, scale.z].every((param) => isOne(program, param));
    if (whole && plain) pairs.set(name, { ramp, scale });
  }
  return pairs;
}

export function rampMapStage(
  source: StageSource,
  { ramp, scale }: RampPair,
  x: Ref,
  columns: number,
  out: Ref,
): StageDraft {
  const table = constantData(source, ramp.table);
  const one = (param: Param): number =>
    typeof param === 'number' ? param : (constantData(source, param.constant)[0] as number);
  const [m, e, z] = [one(scale.m), one(scale.e), one(scale.z)];
  const low = table.length - 1;
  const high = Math.max(low, LEAST_HIGH);
  const entries = source.pool.shared(`dense ${ramp.table}`, () => table);
  const address = source.pool.rampMap(entries, low, high, ramp.u, m, e, z);
  return {
    result: scale.result,
    width: columns,
    reads: [x],
    temps: () => [((columns + 7) & ~7) * 2],
    encode({ resolve, temp }) {
      const record = startRecord(R.KIND_RAMPMAP, R.MAP_WORDS);
      record.splice(R.MAP_X, 4, ...resolve(x, 'i16'));
      record.splice(R.MAP_OUT, 4, ...resolve(out, 'i16'));
      record[R.MAP_COLUMNS] = columns;
      record[R.MAP_TABLE] = address;
      record[R.MAP_LOW] = low;
      record[R.MAP_HIGH] = high;
      record[R.MAP_TEMP] = temp(0);
      record[R.MAP_U] = ramp.u;
      record[R.MAP_M] = m;
      record[R.MAP_E] = e;
      record[R.MAP_Z] = z;
      return record;
    },
  };
}
