import { IvitError } from '@ivit/program';
import { type IntegerArray, viewBytes } from '@ivit/tensor';
import { packedBytes, relaxedBytes, type WeightsEntry } from './plan/constants.js';
import type { ListPlan, MemoryPlan, PlacedValue } from './plan/plan-program.js';
import { ProductTrial } from './product-trial.js';
import { CONTROL_ABORT } from './record-layout.js';
import {
  instantiateKernels,
  type KernelExports,
  type KernelModules,
  type LinkedKernels,
  type MemoryKind,
} from './wasm-module.js';
import type { WorkerPool } from './worker-pool.js';

const PAGE = 65536;
/** Shared memories are powers of two up to so many pages (64 MiB), multiples of it beyond. */
const STEP_PAGES = 1024;
/** Of the memory in which kernels are tried. */
const TRIAL_PAGES = 2;

function createMemory(bytes: number, pool: WorkerPool | undefined): WebAssembly.Memory {
  let pages = Math.ceil(bytes / PAGE); // float-ok: at most 65536 pages, rounded up
  if (pool !== undefined) {
    // Few sizes, so that a memory given back fits the next executable. Pages that nothing touches cost nothing.
    pages = pages > STEP_PAGES ? (pages + STEP_PAGES - 1) & -STEP_PAGES : 1 << (32 - Math.clz32(pages - 1));
    const used = pool.takeMemory(pages * PAGE);
    if (used !== undefined) {
      new Uint8Array(used.buffer, 0, bytes).fill(0);
      return used;
    }
  }
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: pool !== undefined });
  } catch (cause) {
    throw new IvitError('E_MEMORY', `The engine refused ${bytes} bytes of WebAssembly memory`, {
      hint: 'Free memory, dispose of other models, or use a smaller one.',
      cause,
    });
  }
}

/** @throws E_INPUT for a module that is not ours, or the other build of it */
async function linkKernels(
  modules: KernelModules,
  memory: WebAssembly.Memory,
  kind: MemoryKind,
): Promise<LinkedKernels> {
  return instantiateKernels(modules, memory).catch((cause: unknown) => {
    throw new IvitError('E_INPUT', `The module does not link: ${String(cause)}`, {
      where: 'option module or relaxedModule',
      hint: `Compile kernelBytes('${kind}') and relaxedKernelBytes('${kind}') of this version.`,
      cause,
    });
  });
}

/**
 * A product to try the kernels with.
 *
 * @throws E_INPUT as `createEngine`
 */
export async function createTrial(
  modules: KernelModules,
  kind: MemoryKind,
  pages = TRIAL_PAGES,
): Promise<ProductTrial> {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: kind === 'shared' });
  return new ProductTrial(await linkKernels(modules, memory, kind), memory);
}

/** One executable's memory with everything in it, and an instance on the calling thread. */
export interface Engine {
  readonly memory: WebAssembly.Memory;
  readonly kernels: KernelExports;
}

/** Packs int8 weights [rows, columns], passing them through the arena 8 rows or more at a time. */
function packWeights(kernels: LinkedKernels, memory: WebAssembly.Memory, plan: MemoryPlan, entry: WeightsEntry): void {
  const { weights, rows, columns, address, relaxed } = entry;
  const stage = new Int8Array(memory.buffer, plan.arena.address, plan.arena.bytes);
  const panelBytes = (relaxed === undefined ? packedBytes : relaxedBytes)(columns, 8);
  const panels = Math.max(1, Math.floor((plan.arena.bytes - 64) / (8 * columns))); // float-ok: rounded down
  for (let row = 0; row < rows; row += 8 * panels) {
    const end = Math.min(rows, row + 8 * panels);
    stage.set(weights.subarray(row * columns, end * columns));
    for (let panel = row; panel < end; panel += 8) {
      const from = plan.arena.address + (panel - row) * columns;
      const to = address + (panel >> 3) * panelBytes;
      const there = Math.min(8, end - panel);
      if (relaxed === undefined) {
        kernels.main.packPanel(to, from, 1, columns, columns, there);
      } else {
        const bias = relaxed.bias === 0 ? 0 : relaxed.bias + panel * 4;
        kernels.relaxed?.packPanel(to, from, 1, columns, columns, there, bias, relaxed.flip);
      }
    }
  }
}

/** @throws E_MEMORY; E_INPUT for a module that is not ours, or the other build of it */
export async function createEngine(
  plan: MemoryPlan,
  modules: KernelModules,
  pool: WorkerPool | undefined,
): Promise<Engine> {
  const memory = createMemory(plan.bytes + (plan.lanes?.bytes ?? 0), pool);
  const kernels = await linkKernels(modules, memory, pool === undefined ? 'unshared' : 'shared');
  for (const entry of plan.constants) {
    if ('weights' in entry) {
      packWeights(kernels, memory, plan, entry);
    } else if ('rampMap' in entry) {
      kernels.main.fillRampMap(entry.address, ...entry.rampMap);
    } else {
      const { data } = entry;
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      new Uint8Array(memory.buffer, entry.address, bytes.length).set(bytes);
    }
  }
  new Uint8Array(memory.buffer, plan.arena.address, plan.arena.bytes).fill(0);
  new Int32Array(memory.buffer, plan.code.address, plan.code.words.length).set(plan.code.words);
  return { memory, kernels: kernels.main };
}

/** Writes the list of a lane, whose memory nothing has touched yet. */
export function writeList(engine: Engine, { code }: ListPlan): void {
  new Int32Array(engine.memory.buffer, code.address, code.words.length).set(code.words);
}

/** Hands out a list's units from the first one again. */
export function resetList(engine: Engine, { address, count }: ListPlan['counters']): void {
  new Int32Array(engine.memory.buffer, address, count).fill(0);
}

/** Makes the command list ready for one more run, which nobody has asked to stop. */
export function resetCounters(engine: Engine, plan: MemoryPlan): void {
  resetList(engine, plan.counters);
  Atomics.store(new Int32Array(engine.memory.buffer), CONTROL_ABORT >> 2, 0);
}

/** Asks running threads to stop after the group they are at. */
export function requestAbort(engine: Engine): void {
  Atomics.store(new Int32Array(engine.memory.buffer), CONTROL_ABORT >> 2, 1);
}

/** A value as it lies in memory: a view, not a copy. */
export function valueView(engine: Engine, value: PlacedValue): IntegerArray {
  return viewBytes(value.dtype, engine.memory.buffer, value.address, value.count);
}
