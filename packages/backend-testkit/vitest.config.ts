import { defineProject } from 'vitest/config';

export default defineProject({
  test: { name: 'backend-testkit', include: ['src/**/*.test.ts', 'test/**/*.test.ts'] },
  ssr: { resolve: { conditions: ['@ivit/source', 'module', 'node', 'import', 'default'] } },
});
