import { createCpuBackend } from '@ivit/backend-cpu';
import { runBackendConformance } from '@ivit/backend-testkit';
import { describe, it } from 'vitest';

for (const threads of [1, 2, 4]) {
  describe(`${threads} thread(s)`, () => {
    runBackendConformance({ describe, it }, { create: () => createCpuBackend({ threads }) });
  });
}
