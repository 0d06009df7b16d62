import { IvitError } from '@ivit/program';
import { BINDING_ARENA, BINDING_CONSTANTS, BINDING_RECORD, RECORD_BYTES } from '../layout.js';
import { COMPUTE_STAGE } from './flags.js';

/** What all executables on one device share: one layout of bindings, and pipelines by their text. */
export class DeviceContext {
  readonly device: GPUDevice;
  readonly bindGroupLayout: GPUBindGroupLayout;
  readonly #pipelineLayout: GPUPipelineLayout;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  #lost: GPUDeviceLostInfo | undefined;

  constructor(device: GPUDevice) {
    this.device = device;
    const visibility = COMPUTE_STAGE;
    this.bindGroupLayout = device.createBindGroupLayout({
      entries: [
        { binding: BINDING_ARENA, visibility, buffer: { type: 'storage' } },
        { binding: BINDING_CONSTANTS, visibility, buffer: { type: 'read-only-storage' } },
        {
          binding: BINDING_RECORD,
          visibility,
          buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: RECORD_BYTES },
        },
      ],
    });
    this.#pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [this.bindGroupLayout] });
    device.lost.then((info) => {
      this.#lost = info;
      this.#pipelines.clear();
    });
  }

  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** @throws E_DEVICE_LOST */
  assertAlive(): void {
    if (this.#lost === undefined) return;
    const { reason, message } = this.#lost;
    throw new IvitError('E_DEVICE_LOST', `The GPU device was lost (${reason ?? 'unknown'}): ${message}`, {
      hint: 'Compile the program again; a device that was passed in has to be replaced first.',
    });
  }

  /** The pipeline of a shader, made once per device. @throws E_DEVICE_ERROR, E_DEVICE_LOST */
  pipeline(code: string): Promise<GPUComputePipeline> {
    const known = this.#pipelines.get(code);
    if (known !== undefined) return known;
    const made = this.#create(code);
    this.#pipelines.set(code, made);
    made.catch(() => this.#pipelines.delete(code));
    return made;
  }

  async #create(code: string): Promise<GPUComputePipeline> {
    this.assertAlive();
    const { device } = this;
    // What is wrong with the text is told by the pipeline's own rejection; the scope only keeps it from the console.
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code });
    const scope = device.popErrorScope().catch(() => null);
    try {
      return await device.createComputePipelineAsync({
        layout: this.#pipelineLayout,
        compute: { module, entryPoint: 'main' },
      });
    } catch (cause) {
      // Loss is told a moment later than the refusal that it causes.
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.assertAlive();
      const found = (await scope)?.message ?? (cause instanceof Error ? cause.message : String(cause));
      throw new IvitError('E_DEVICE_ERROR', `The device refuses a shader: ${found}`, {
        hint: 'Run on another backend.',
        cause,
      });
    }
  }
}

const contexts = new WeakMap<GPUDevice, DeviceContext>();

/** The one context of a device. */
export function contextOf(device: GPUDevice): DeviceContext {
  const known = contexts.get(device);
  if (known !== undefined) return known;
  const context = new DeviceContext(device);
  contexts.set(device, context);
  return context;
}
