import { BINDING_ARENA, BINDING_CONSTANTS, BINDING_RECORD, RECORD_BYTES, RECORD_WORDS } from '../layout.js';
import { testDevice } from './device.js';

export interface KernelRun {
  readonly code: string;
  readonly arena: Uint32Array<ArrayBuffer>;
  readonly constants?: Uint32Array<ArrayBuffer>;
  /** Words of the op's record from the first on. */
  readonly record: readonly number[];
  /** Workgroups. */
  readonly grid: readonly [number, number, number];
}

const pipelines = new Map<string, Promise<GPUComputePipeline>>();

function pipelineOf(device: GPUDevice, code: string): Promise<GPUComputePipeline> {
  const known = pipelines.get(code);
  if (known !== undefined) return known;
  const visibility = GPUShaderStage.COMPUTE;
  const group = device.createBindGroupLayout({
    entries: [
      { binding: BINDING_ARENA, visibility, buffer: { type: 'storage' } },
      { binding: BINDING_CONSTANTS, visibility, buffer: { type: 'read-only-storage' } },
      { binding: BINDING_RECORD, visibility, buffer: { type: 'uniform', hasDynamicOffset: true } },
    ],
  });
  const made = device.createComputePipelineAsync({
    layout: device.createPipelineLayout({ bindGroupLayouts: [group] }),
    compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
  });
  pipelines.set(code, made);
  return made;
}

/** Runs one kernel once on the test device; the arena's words afterwards. Validation errors throw. */
export async function runKernel(run: KernelRun): Promise<Uint32Array<ArrayBuffer>> {
  const device = await testDevice();
  device.pushErrorScope('validation');
  const pipeline = await pipelineOf(device, run.code);
  const storage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const filled = (data: Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>, usage: number): GPUBuffer => {
    const buffer = device.createBuffer({ size: Math.max(16, data.byteLength), usage });
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  };
  const record = new Int32Array(RECORD_WORDS);
  record.set(run.record);
  const arena = filled(run.arena, storage);
  const constants = filled(run.constants ?? new Uint32Array(4), storage);
  const parameters = filled(record, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
  const staging = device.createBuffer({ size: arena.size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [
      { binding: BINDING_ARENA, resource: { buffer: arena } },
      { binding: BINDING_CONSTANTS, resource: { buffer: constants } },
      { binding: BINDING_RECORD, resource: { buffer: parameters, size: RECORD_BYTES } },
    ],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup, [0]);
  pass.dispatchWorkgroups(...run.grid);
  pass.end();
  encoder.copyBufferToBuffer(arena, 0, staging, 0, arena.size);
  device.queue.submit([encoder.finish()]);
  const error = await device.popErrorScope();
  if (error !== null) throw new Error(error.message);
  await staging.mapAsync(GPUMapMode.READ);
  const words = new Uint32Array(staging.getMappedRange().slice(0, run.arena.byteLength));
  for (const buffer of [arena, constants, parameters, staging]) buffer.destroy();
  return words;
}
