import { defineProject } from 'vitest/config';

export default defineProject({
  test: { name: 'plugin-example', include: ['*.test.ts'] },
  ssr: { resolve: { conditions: ['@ivit/source', 'module', 'node', 'import', 'default'] } },
});
