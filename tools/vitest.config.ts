import { defineProject } from 'vitest/config';

export default defineProject({
  test: { name: 'tools', include: ['src/**/*.test.ts'], testTimeout: 120_000 },
  ssr: { resolve: { conditions: ['@ivit/source', 'module', 'node', 'import', 'default'] } },
});
