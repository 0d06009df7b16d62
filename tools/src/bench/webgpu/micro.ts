/**
 * What the machine's multipliers do, before any model: loops of one instruction on registers, as many chains as hide its
 * latency. The floats here are the peers'; nothing of ours computes with them.
 */

/** One instruction to measure. */
export interface MicroKernel {
  readonly name: string;
  /** Multiply-accumulates of one instruction. */
  readonly macs: number;
  readonly type: 'f32' | 'f16' | 'i32';
  /** The next value of chain `name`, given the step's operand `x` and the chain's own `w`. */
  step(name: string, w: string): string;
}

export interface MicroResult {
  readonly name: string;
  /** 10^9 multiply-accumulates a second: the best run. */
  readonly best: number;
  readonly median: number;
}

const CHAINS = 8;
const STEPS = 256;
const WORKGROUP = 64;

export const MICRO_KERNELS: readonly MicroKernel[] = [
  { name: 'fp32 fma', macs: 1, type: 'f32', step: (name, w) => `fma(${name}, x, ${w})` },
  { name: 'fp16 fma', macs: 1, type: 'f16', step: (name, w) => `fma(${name}, x, ${w})` },
  { name: 'int32 multiply and add', macs: 1, type: 'i32', step: (name, w) => `${name} * x + ${w}` },
  {
    name: 'dot4I8Packed',
    macs: 4,
    type: 'i32',
    // The chain is a factor, not the sum: a product of constants would be taken out of the loop.
    step: (name, w) => `dot4I8Packed(u32(${name}), u32(${w})) + x`,
  },
];

/** A shader of `outer` · 256 steps of 8 chains per invocation; the result depends on all of them. */
export function microShader({ type, step }: MicroKernel): string {
  const chains = Array.from({ length: CHAINS }, (_, index) => index);
  const lines = (line: (index: number) => string): string => chains.map(line).join('\n');
  return `${type === 'f16' ? 'enable f16;\n' : ''}
@group(0) @binding(0) var<storage, read_write> result: array<${type === 'f16' ? 'f32' : type}>;
@group(0) @binding(1) var<uniform> outer: vec4<u32>;
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  var x = ${type}(id.x & 15u);
${lines((index) => `  var c${index} = ${type}(${index}); let w${index} = ${type}(id.x + ${index}u);`)}
  for (var round = 0u; round < outer.x; round++) {
    for (var i = 0u; i < ${STEPS}u; i++) {
${lines((index) => `      c${index} = ${step(`c${index}`, `w${index}`)};`)}
    }
    x = c0;
  }
  result[id.x] = ${type === 'f16' ? 'f32' : type}(${chains.map((index) => `c${index}`).join(' + ')});
}`;
}

interface Prepared {
  readonly kernel: MicroKernel;
  run(): Promise<number>;
}

async function prepare(device: GPUDevice, kernel: MicroKernel, groups: number): Promise<Prepared> {
  const module = device.createShaderModule({ code: microShader(kernel) });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const invocations = groups * WORKGROUP;
  const result = device.createBuffer({ size: invocations * 4, usage: GPUBufferUsage.STORAGE });
  const outer = device.createBuffer({ size: 16, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [
      { binding: 0, resource: { buffer: result } },
      { binding: 1, resource: { buffer: outer } },
    ],
  });
  const timed = async (rounds: number): Promise<number> => {
    device.queue.writeBuffer(outer, 0, Uint32Array.of(rounds, 0, 0, 0));
    await device.queue.onSubmittedWorkDone();
    const began = performance.now();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(groups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - began;
  };
  // Long enough that submitting does not count, short enough for drivers that end long work.
  let rounds = 1;
  for (let time = await timed(rounds); time < 100 && rounds < 2 ** 20; time = await timed(rounds)) {
    rounds *= time < 10 ? 8 : 2;
  }
  const macs = invocations * rounds * STEPS * CHAINS * kernel.macs;
  return { kernel, run: async () => macs / 1e6 / (await timed(rounds)) };
}

/** Measures what the device has, taking turns. @param groups - workgroups of 64 invocations in flight */
export async function measureInstructions(
  gpu: GPU,
  device: GPUDevice,
  groups: number,
  runs: number,
): Promise<MicroResult[]> {
  const packed = gpu.wgslLanguageFeatures.has('packed_4x8_integer_dot_product');
  const kernels = MICRO_KERNELS.filter(({ name, type }) => {
    return name === 'dot4I8Packed' ? packed : type !== 'f16' || device.features.has('shader-f16');
  });
  const prepared: Prepared[] = [];
  for (const kernel of kernels) prepared.push(await prepare(device, kernel, groups));
  const found = prepared.map((): number[] => []);
  for (let run = 0; run < runs; run += 1) {
    for (const [index, { run: once }] of prepared.entries()) found[index]?.push(await once());
  }
  return prepared.map(({ kernel }, index) => {
    const sorted = [...(found[index] ?? [])].sort((a, b) => a - b);
    return { name: kernel.name, best: sorted.at(-1) ?? 0, median: sorted[sorted.length >> 1] ?? 0 };
  });
}
