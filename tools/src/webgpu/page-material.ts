/** What the page of WebGPU is told. Uses nothing of Node. */
import type { Material } from '../browser/checks.js';
import type { Read } from '../browser/post-report.js';
import type { GoldenFolder } from '../vectors/golden.js';
import type { GoldenFolders } from '../vectors/golden-checks.js';
import type { Part } from './arguments.js';
import type { GoldenChoice } from './golden-runs.js';

export interface PageMaterial extends Material {
  readonly parts: readonly Part[];
  readonly choice: GoldenChoice;
  readonly whole: boolean;
  /** Golden models with the names of their files. */
  readonly golden: readonly { readonly name: string; readonly files: readonly string[] }[];
}

/** Where a golden model's file is served, below `/files/`. */
export const goldenPath = (model: string, file: string): string => `golden/${model}/${file}`;

/** The models as the page reads them, each file once. */
export function servedFolders({ golden }: Pick<PageMaterial, 'golden'>, read: Read): GoldenFolders {
  return new Map(
    golden.map(({ name, files }) => {
      const known = new Map<string, Promise<Uint8Array>>();
      const folder: GoldenFolder = {
        has: (file) => files.includes(file),
        read: (file) => {
          const bytes = known.get(file) ?? read(goldenPath(name, file));
          known.set(file, bytes);
          return bytes;
        },
      };
      return [name, folder];
    }),
  );
}
