import { defineProject } from 'vitest/config';

export default defineProject({
  test: { name: 'models', testTimeout: 120_000, include: ['src/**/*.test.ts', 'test/**/*.test.ts'] },
  ssr: { resolve: { conditions: ['@ivit/source', 'module', 'node', 'import', 'default'] } },
});
