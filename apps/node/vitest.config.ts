import { defineProject } from 'vitest/config';

export default defineProject({
  test: { name: 'label-folder', testTimeout: 120_000, hookTimeout: 120_000, include: ['src/**/*.test.ts'] },
  ssr: { resolve: { conditions: ['@ivit/source', 'module', 'node', 'import', 'default'] } },
});
