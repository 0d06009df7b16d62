/** Golden models of the original implementation on the WebGPU backend, in Node and in a page alike. Uses nothing of Node. */
import { createWebgpuBackend, type WebgpuBackendOptions } from '@ivit/backend-webgpu';
import { PASSED } from '../conformance/run-kit.js';
import {
  comparisonsOf,
  distinctSources,
  type GoldenFolder,
  type GoldenSource,
  readGolden,
  runGolden,
} from '../vectors/golden.js';

/** How golden models are run. */
export interface GoldenChoice {
  /** With `dot4I8Packed`, or without. */
  readonly packed: readonly boolean[];
  readonly batches: readonly number[];
}

/** Model folders by name. */
export type GoldenFolders = ReadonlyMap<string, GoldenFolder>;

interface OneRun {
  readonly title: string;
  readonly packed: boolean;
  readonly batch: number;
}

function runsOf(name: string, { packed, batches }: GoldenChoice): readonly OneRun[] {
  return packed.flatMap((own) =>
    batches.map((batch) => {
      return { title: `golden ${name}, ${own ? 'webgpu' : 'webgpu, plain'}, batch ${batch}`, packed: own, batch };
    }),
  );
}

/**
 * What is compared of a model: each of its programs once, as several stored forms may hold the same one.
 *
 * @throws RangeError where it is not covered
 */
async function sourcesOf(name: string, folder: GoldenFolder): Promise<readonly GoldenSource[]> {
  const sources = await readGolden(folder);
  if (typeof sources === 'string') throw new RangeError(`${name}: ${sources}`);
  return distinctSources(sources);
}

/** Every comparison by name with what differs, or `PASSED`. @param tell is told of each run and its seconds */
export async function goldenFound(
  folders: GoldenFolders,
  choice: GoldenChoice,
  options: WebgpuBackendOptions,
  tell: (line: string) => void,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, folder] of folders) {
    const sources = await sourcesOf(name, folder);
    for (const { title, packed, batch } of runsOf(name, choice)) {
      const began = performance.now();
      const backend = createWebgpuBackend({ ...options, packed });
      for (const source of sources) {
        const run = await runGolden(backend, source, batch);
        for (const { what, difference } of comparisonsOf(source))
          found[`${title}: ${what}`] = difference(run) ?? PASSED;
      }
      tell(`${title}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    }
  }
  return found;
}

/** What `goldenFound` must give. */
export async function goldenExpected(folders: GoldenFolders, choice: GoldenChoice): Promise<Record<string, string>> {
  const expected: Record<string, string> = {};
  for (const [name, folder] of folders) {
    const sources = await sourcesOf(name, folder);
    for (const { title } of runsOf(name, choice)) {
      for (const source of sources) {
        for (const { what } of comparisonsOf(source)) expected[`${title}: ${what}`] = PASSED;
      }
    }
  }
  return expected;
}
