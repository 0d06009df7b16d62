import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** SwiftShader as Debian's chromium brings it; VK_ICD_FILENAMES in the environment names another driver. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

// `*.gpu.test.ts`: what needs an adapter, and fails without one. Run by `pnpm webgpu`, not by `npm test`.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    name: 'backend-webgpu-gpu',
    include: ['src/**/*.gpu.test.ts', 'test/**/*.gpu.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    env: { VK_ICD_FILENAMES: process.env['VK_ICD_FILENAMES'] ?? SWIFTSHADER },
  },
  ssr: { resolve: { conditions: ['@ivit/source', 'module', 'node', 'import', 'default'] } },
});
