import type { Backend, CompileOptions, Executable, ProbeOptions, ProbeResult } from '@ivit/backend';
import { assertMemory, compileRequest, IvitError, OP_VERSIONS, type ValidatedProgram } from '@ivit/program';
import packageJson from '../package.json';
import { untilAborted } from './abort.js';
import { type OpenDevice, openDevice } from './device/open.js';
import { createResources } from './device/resources.js';
import { WebgpuExecutable } from './executable.js';
import { type DevicePlan, planProgram } from './plan/plan-program.js';
import type { WebgpuDevice, WebgpuEntry } from './unsafe.js';

export interface WebgpuBackendOptions {
  /** A `GPUDevice` to run on. It is never destroyed. Default: a device of the first adapter, opened when first needed. */
  readonly device?: WebgpuDevice;
  /** A `GPU`: in Node what `create([])` of the package `webgpu` gives. Default: `navigator.gpu`. */
  readonly gpu?: WebgpuEntry;
  /** Which adapter to prefer where there are several. Default: the browser's choice. */
  readonly powerPreference?: 'low-power' | 'high-performance';
  /** `false`: products without `dot4I8Packed`, even where WGSL has it. Never changes a bit. */
  readonly packed?: boolean;
}

/** Workgroups that keep a GPU busy: one for each core of a large one. A software adapter has none to spare. */
const GPU_GROUPS = 128;

/** Changes a plan before it is built: for checks of ours that break a shader on purpose. */
export type PlanHook = (plan: DevicePlan) => DevicePlan;

class WebgpuBackend implements Backend {
  readonly specificationVersion = 1;
  readonly name = 'webgpu';
  readonly version: string = packageJson.version;
  readonly ops = OP_VERSIONS;
  readonly #options: WebgpuBackendOptions;
  readonly #hook: PlanHook;
  #device: Promise<OpenDevice> | undefined;

  constructor(options: WebgpuBackendOptions, hook: PlanHook) {
    this.#options = options;
    this.#hook = hook;
  }

  /** The device, once per backend; a lost one is replaced where it is not the caller's. */
  async #open(): Promise<OpenDevice> {
    const known = await this.#device?.catch(() => undefined);
    if (known !== undefined && (!known.context.lost || this.#options.device !== undefined)) return known;
    this.#device = openDevice(this.#options);
    return this.#device;
  }

  async probe(options: ProbeOptions = {}): Promise<ProbeResult> {
    try {
      const { context, name, software, packedDot } = await untilAborted(this.#open(), options.signal, 'The probe');
      context.assertAlive();
      const packed = packedDot && this.#options.packed !== false;
      const features = [...(packed ? ['dot4I8Packed'] : []), ...(software ? ['software'] : [])];
      return { available: true, device: name, threads: 1, features };
    } catch (error) {
      const code = IvitError.isInstance(error) ? error.code : 'E_BACKEND';
      return { available: false, code, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  async compile(program: ValidatedProgram, options: CompileOptions = {}): Promise<Executable> {
    const { signal } = options;
    const { maxBatch, outputs } = compileRequest(program, options, 'WebGPU', OP_VERSIONS);
    const building = this.#build(program, outputs, maxBatch, options.memoryLimit);
    try {
      return await untilAborted(building, signal, 'Compiling');
    } catch (error) {
      // What an abandoned compile still makes is given back.
      building.then((executable) => executable.dispose()).catch(() => undefined);
      throw error;
    }
  }

  async #build(
    program: ValidatedProgram,
    outputs: readonly string[],
    maxBatch: number,
    memoryLimit: number | undefined,
  ): Promise<WebgpuExecutable> {
    const { context, packedDot, software } = await this.#open();
    const packed = packedDot && this.#options.packed !== false;
    const plan = this.#hook(
      planProgram(program, outputs, maxBatch, { packed, fuse: true, groups: software ? 1 : GPU_GROUPS }),
    );
    assertMemory(plan.bytes, memoryLimit);
    const resources = await createResources(context, plan);
    const variant = packed ? 'wgsl-dot4' : 'wgsl';
    const info = { backend: this.name, variant, threads: 1, bytes: plan.bytes };
    return new WebgpuExecutable({ context, plan, resources, outputs, maxBatch, info });
  }
}

/**
 * The WebGPU backend: integer shaders, in browsers and, with the package `webgpu`, in Node. It asks for default limits and no
 * features, and gives the same bits on every device that computes integers right.
 */
export function createWebgpuBackend(options: WebgpuBackendOptions = {}): Backend {
  return createWebgpuBackendWith(options, (plan) => plan);
}

/** The same with a hook on its plans: for checks of ours. */
export function createWebgpuBackendWith(options: WebgpuBackendOptions, hook: PlanHook): Backend {
  return new WebgpuBackend(options, hook);
}
