import { runBackendConformance } from '@ivit/backend-testkit';
import { createWebgpuBackend } from '@ivit/backend-webgpu';
import { beforeAll, describe, it } from 'vitest';
import { testDevice, testGpu } from './testing/device.js';

let device: GPUDevice;
beforeAll(async () => {
  device = await testDevice();
});

runBackendConformance({ describe, it }, { create: () => createWebgpuBackend({ device, gpu: testGpu() }) });
