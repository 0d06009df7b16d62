import { IvitError } from '@ivit/program';
import { gpuDevice, gpuEntry, type WebgpuDevice, type WebgpuEntry } from '../unsafe.js';
import { contextOf, type DeviceContext } from './context.js';

/** Where a device comes from. */
export interface DeviceSource {
  readonly device?: WebgpuDevice;
  readonly gpu?: WebgpuEntry;
  readonly powerPreference?: 'low-power' | 'high-performance';
}

/** A device that is open, and what is known of it. */
export interface OpenDevice {
  readonly context: DeviceContext;
  readonly name: string;
  /** Whether the adapter says that it is software. */
  readonly software: boolean;
  /** Whether WGSL has `dot4I8Packed` here. */
  readonly packedDot: boolean;
}

const PACKED_DOT = 'packed_4x8_integer_dot_product';

function describe(info: GPUAdapterInfo | undefined): string {
  if (info === undefined) return 'GPU device given by the caller';
  const { vendor, architecture, device, description } = info;
  const parts = description !== '' ? [description] : [vendor, architecture, device];
  const name = parts.filter((part) => part !== '').join(' ');
  return name === '' ? 'GPU adapter without a name' : name;
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render/i;

function known(device: GPUDevice, info: GPUAdapterInfo | undefined, gpu: GPU | undefined): OpenDevice {
  const name = describe(info);
  const software = info?.isFallbackAdapter === true || SOFTWARE.test(`${name} ${info?.architecture ?? ''}`);
  return {
    context: contextOf(device),
    name,
    software,
    packedDot: gpu?.wgslLanguageFeatures?.has(PACKED_DOT) ?? false,
  };
}

/**
 * The caller's device, or one of the first adapter, with default limits and no features.
 *
 * @throws E_NO_WEBGPU, E_NO_ADAPTER, E_NO_DEVICE
 */
export async function openDevice(source: DeviceSource): Promise<OpenDevice> {
  const gpu = gpuEntry(source.gpu);
  if (source.device !== undefined) {
    const device = gpuDevice(source.device);
    return known(device, device.adapterInfo, gpu);
  }
  if (gpu === undefined) {
    throw new IvitError('E_NO_WEBGPU', 'There is no WebGPU here: navigator.gpu is missing', {
      hint: "In Node, install the package 'webgpu' (and pass its `create([])` as option gpu); in a page, use https and a browser that has WebGPU.",
    });
  }
  const { powerPreference } = source;
  const adapter = await gpu.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  if (adapter === null) {
    throw new IvitError('E_NO_ADAPTER', 'WebGPU offers no adapter here', {
      hint: 'Install a driver for the GPU, or run on another backend.',
    });
  }
  const device = await adapter.requestDevice().catch((cause: unknown) => {
    throw new IvitError('E_NO_DEVICE', `The adapter gives no device: ${String(cause)}`, { cause });
  });
  return known(device, adapter.info, gpu);
}
