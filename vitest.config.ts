import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Vitest keeps a core for itself otherwise, and so one of two is idle.
    maxWorkers: '100%',
    projects: ['packages/*', 'apps/*', 'tools'],
  },
});
