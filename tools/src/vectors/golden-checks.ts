/** Golden models of the original implementation as checks by name, in Node and in a page alike. Uses nothing of Node. */
import type { Backend } from '@ivit/backend';
import { PASSED } from '../conformance/run-kit.js';
import {
  batchesOf,
  comparisonsOf,
  distinctSources,
  type GoldenFolder,
  type GoldenSource,
  readGolden,
  runGolden,
} from './golden.js';
import { explainHash } from './golden-difference.js';
import type { Hash } from './value-record.js';

/** One way to run every model. */
export interface GoldenSubject {
  /** Begins the names of its checks. */
  readonly name: string;
  readonly create: () => Backend;
  /** Images at once. */
  readonly batch: number;
  /** Of models with more images than this it is not asked. Default: of none. */
  readonly mostImages?: number;
}

/** Who listens, and who hashes. */
export interface GoldenOptions {
  /** Told of each model and its seconds. */
  readonly tell: (line: string) => void;
  /** Default: one in JavaScript. */
  readonly newHash?: () => Hash;
}

/** Model folders by name. */
export type GoldenFolders = ReadonlyMap<string, GoldenFolder>;

/**
 * What is compared of a model: each of its programs once, as several stored forms may hold the same one.
 *
 * @throws RangeError where it is not covered
 */
async function sourcesOf(model: string, folder: GoldenFolder): Promise<readonly GoldenSource[]> {
  const sources = await readGolden(folder);
  if (typeof sources === 'string') throw new RangeError(`${model}: ${sources}`);
  return distinctSources(sources);
}

/** Those of the subjects that run this model. */
function subjectsOf(subjects: readonly GoldenSubject[], sources: readonly GoldenSource[]): readonly GoldenSubject[] {
  const images = Math.max(...sources.map((source) => [...batchesOf(source, 1)].length));
  return subjects.filter(({ mostImages = images }) => images <= mostImages);
}

const titleOf = (model: string, { name }: GoldenSubject): string => `${name}: golden ${model}`;

/** Every comparison of a source by what is compared, with what differs, or `PASSED`. */
async function sourceFound(
  backend: Backend,
  batch: number,
  source: GoldenSource,
  newHash: GoldenOptions['newHash'],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const run = await runGolden(backend, source, batch, newHash);
  for (const { what, hashed, difference } of comparisonsOf(source)) {
    const text = difference(run);
    const more = text === undefined || hashed === undefined ? [] : [await explainHash(backend, source, hashed, batch)];
    found.set(what, [text ?? PASSED, ...more].join(': '));
  }
  return found;
}

/** Every comparison by name with what differs, or `PASSED`. */
export async function goldenFound(
  folders: GoldenFolders,
  subjects: readonly GoldenSubject[],
  { tell, newHash }: GoldenOptions,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [model, folder] of folders) {
    const sources = await sourcesOf(model, folder);
    for (const subject of subjectsOf(subjects, sources)) {
      const began = performance.now();
      const backend = subject.create();
      for (const source of sources) {
        for (const [what, text] of await sourceFound(backend, subject.batch, source, newHash)) {
          found[`${titleOf(model, subject)}: ${what}`] = text;
        }
      }
      tell(`${titleOf(model, subject)}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    }
  }
  return found;
}

/** What `goldenFound` must give. */
export async function goldenExpected(
  folders: GoldenFolders,
  subjects: readonly GoldenSubject[],
): Promise<Record<string, string>> {
  const expected: Record<string, string> = {};
  for (const [model, folder] of folders) {
    const sources = await sourcesOf(model, folder);
    const names = sources.flatMap(comparisonsOf).map(({ what }) => what);
    for (const subject of subjectsOf(subjects, sources)) {
      for (const what of names) expected[`${titleOf(model, subject)}: ${what}`] = PASSED;
    }
  }
  return expected;
}
