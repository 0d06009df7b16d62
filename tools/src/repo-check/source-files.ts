import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One complaint about the repository. */
export interface Finding {
  /** Path relative to the root, with forward slashes. */
  readonly file: string;
  /** 1-based; 0 when the complaint is about the whole file. */
  readonly line: number;
  readonly rule: string;
  readonly message: string;
}

/** Every `.ts` file below `folder` (relative to `root`), sorted, without tests, type tests and generated files. */
export function sourceFiles(root: string, folder: string): string[] {
  const start = join(root, folder);
  if (!existsSync(start)) return [];
  const found: string[] = [];
  for (const entry of readdirSync(start, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules' && entry.name !== 'generated') found.push(...sourceFiles(root, path));
    } else if (entry.name.endsWith('.ts') && !/\.(test|test-d|d)\.ts$/.test(entry.name)) {
      found.push(path);
    }
  }
  return found.sort();
}

export function isConvert(file: string): boolean {
  return file.includes('/src/convert/') || /\/src\/.*\/convert\//.test(file);
}
