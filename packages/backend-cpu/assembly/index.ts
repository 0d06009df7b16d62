/**
 * Walks the command list (record-layout): every thread calls `run` with its own scratch and the number of threads that do.
 *
 * Units go by a shared counter to whoever asks first; after each group all threads meet. The last one to arrive decides
 * whether they go on, so that an abort stops all of them at the same group.
 */
import {
  CONTROL_ABORT,
  CONTROL_ARRIVED,
  CONTROL_GENERATION,
  CONTROL_STOP,
  GROUP_COUNTER,
  GROUP_ROWS,
  GROUP_STAGE_COUNT,
  GROUP_STAGES,
  GROUP_STRIP,
  GROUP_UNITS,
  GROUP_UNITS_EACH,
  GROUP_WORDS,
  KIND_COPY,
  KIND_FEW_ROWS,
  KIND_GATHER,
  KIND_LAYERNORM,
  KIND_LINEAR,
  KIND_LOOKUP,
  KIND_MEAN,
  KIND_PACK,
  KIND_RAMPLOOKUP,
  KIND_RAMPMAP,
  KIND_RELAXED_LINEAR,
  KIND_RELAXED_PACK,
  KIND_REQUANTIZE,
  KIND_REQUANTIZE_ANY,
  KIND_ROWQUANTIZE,
  KIND_ROWSCALE,
  KIND_SHIFTGELU,
  KIND_SOFTMAX,
  KIND_STRASSEN,
  KIND_VIEW,
  STAGE_KIND,
  STAGE_LENGTH,
} from '../src/record-layout';
import { fewRowsStage } from './few-rows';
import { lookupStage, ramplookupStage, shiftgeluStage } from './gelu';
import { layernormStage } from './layer-norm';
import { linearStage, strassenStage } from './linear';
import { copyStage, gatherStage, meanStage, viewStage } from './movement';
import { word } from './operand';
import { packPanel, packStage } from './pack';
import { fillRampMap, rampMapStage } from './ramp-map';
import { requantizeStage } from './requantize';
import { requantizeAnyStage } from './requantize-any';
import { rowquantizeStage, rowscaleStage } from './row-scale';
import { softmaxStage } from './softmax';

/** How often a thread looks whether the others have arrived before it sleeps. */
const SPINS: i32 = 20000;

export { fillRampMap, packPanel };

// Of the module of relaxed.ts; they throw where it is not there.
// @ts-expect-error: decorator
@external('env', 'relaxedLinear')
declare function relaxedLinear(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void;
// @ts-expect-error: decorator
@external('env', 'relaxedPack')
declare function relaxedPack(record: usize, g: i32, i0: i32, n: i32): void;

function stage(record: usize, g: i32, i0: i32, n: i32, scratch: usize): void {
  switch (word(record, STAGE_KIND)) {
    case KIND_LINEAR:
      linearStage(record, g, i0, n, scratch);
      break;
    case KIND_STRASSEN:
      strassenStage(record, g, i0, n, scratch);
      break;
    case KIND_REQUANTIZE:
      requantizeStage(record, g, i0, n, scratch);
      break;
    case KIND_REQUANTIZE_ANY:
      requantizeAnyStage(record, g, i0, n, scratch);
      break;
    case KIND_ROWSCALE:
      rowscaleStage(record, g, i0, n, scratch);
      break;
    case KIND_ROWQUANTIZE:
      rowquantizeStage(record, g, i0, n, scratch);
      break;
    case KIND_SOFTMAX:
      softmaxStage(record, g, i0, n, scratch);
      break;
    case KIND_SHIFTGELU:
      shiftgeluStage(record, g, i0, n, scratch);
      break;
    case KIND_LAYERNORM:
      layernormStage(record, g, i0, n, scratch);
      break;
    case KIND_LOOKUP:
      lookupStage(record, g, i0, n, scratch);
      break;
    case KIND_RAMPLOOKUP:
      ramplookupStage(record, g, i0, n, scratch);
      break;
    case KIND_RAMPMAP:
      rampMapStage(record, g, i0, n, scratch);
      break;
    case KIND_COPY:
      copyStage(record, g, i0, n, scratch);
      break;
    case KIND_VIEW:
      viewStage(record, i0, n);
      break;
    case KIND_GATHER:
      gatherStage(record, i0, n);
      break;
    case KIND_MEAN:
      meanStage(record, i0, n);
      break;
    case KIND_PACK:
      packStage(record, g, i0, n);
      break;
    case KIND_RELAXED_LINEAR:
      relaxedLinear(record, g, i0, n, scratch);
      break;
    case KIND_RELAXED_PACK:
      relaxedPack(record, g, i0, n);
      break;
    case KIND_FEW_ROWS:
      fewRowsStage(record, g, i0, n, scratch);
      break;
    default:
      unreachable();
  }
}

function units(group: usize, scratch: usize): void {
  const counter: usize = load<u32>(group + (GROUP_COUNTER << 2));
  const count = word(group, GROUP_UNITS);
  const each = word(group, GROUP_UNITS_EACH);
  const strip = word(group, GROUP_STRIP);
  const rows = word(group, GROUP_ROWS);
  const stages = word(group, GROUP_STAGE_COUNT);
  for (;;) {
    const unit = atomic.add<i32>(counter, 1);
    if (unit >= count) return;
    const g = unit / each;
    const i0 = (unit - g * each) * strip;
    const n = min(strip, rows - i0);
    let record: usize = load<u32>(group + (GROUP_STAGES << 2));
    for (let s = 0; s < stages; s++) {
      stage(record, g, i0, n, scratch);
      record += word(record, STAGE_LENGTH) << 2;
    }
  }
}

/** All threads meet; true if they shall stop. */
function meet(threads: i32): bool {
  if (threads > 1) {
    const generation = atomic.load<i32>(CONTROL_GENERATION);
    if (atomic.add<i32>(CONTROL_ARRIVED, 1) == threads - 1) {
      atomic.store<i32>(CONTROL_ARRIVED, 0);
      atomic.store<i32>(CONTROL_STOP, atomic.load<i32>(CONTROL_ABORT));
      atomic.store<i32>(CONTROL_GENERATION, generation + 1);
      atomic.notify(CONTROL_GENERATION, threads);
    } else {
      let spins = SPINS;
      while (atomic.load<i32>(CONTROL_GENERATION) == generation) {
        if (--spins < 0) atomic.wait<i32>(CONTROL_GENERATION, generation, -1);
      }
    }
    return atomic.load<i32>(CONTROL_STOP) != 0;
  }
  return atomic.load<i32>(CONTROL_ABORT) != 0;
}

/**
 * Runs `count` groups from `group`.
 * @returns the groups done: fewer than `count` after an abort
 */
export function run(group: usize, count: i32, threads: i32, scratch: usize): i32 {
  for (let i = 0; i < count; i++) {
    units(group, scratch);
    if (meet(threads)) return i + 1;
    group += GROUP_WORDS << 2;
  }
  return count;
}
