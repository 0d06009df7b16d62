import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Test files that take longest, the longest first. Begun late, one of them would run alone at the end, the other cores idle. */
const LONGEST = [
  'packages/backend-cpu/test/conformance.test.ts',
  'apps/node/src/label-folder.test.ts',
  'tools/src/accuracy/accuracy.test.ts',
  'packages/backend-cpu/test/memory.test.ts',
  'packages/models/src/convert/paper/golden.test.ts',
  'packages/backend-cpu/test/rounding.test.ts',
  'packages/ivit/src/cli/quantize.test.ts',
  'tools/src/vectors/vectors.test.ts',
].map((path) => fileURLToPath(new URL(path, import.meta.url)));

for (const path of LONGEST) if (!existsSync(path)) throw new Error(`there is no ${path} any more`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = LONGEST.indexOf(moduleId);
      return index < 0 ? LONGEST.length : index;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    // Vitest keeps a core for itself otherwise, and so one of two is idle.
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    projects: ['packages/*', 'apps/*', 'tools'],
  },
});
