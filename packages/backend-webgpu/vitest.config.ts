import { defineProject } from 'vitest/config';

// Without a GPU: planning and shader text. `vitest.gpu.config.ts` has the tests that need an adapter.
export default defineProject({
  test: {
    name: 'backend-webgpu',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/*.gpu.test.ts', '**/node_modules/**'],
  },
  ssr: { resolve: { conditions: ['@ivit/source', 'module', 'node', 'import', 'default'] } },
});
