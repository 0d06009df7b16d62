import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkConvert } from './convert-rule.js';
import { FLOAT_FOLDERS, HOT_PACKAGES, INTEGER_FOLDERS, INTEGER_PACKAGES } from './dependency-table.js';
import { checkFloats, type FloatException } from './float-rule.js';
import { checkGraph } from './graph.js';
import { type Finding, isConvert, sourceFiles } from './source-files.js';

export interface RepositoryReport {
  readonly findings: readonly Finding[];
  readonly exceptions: readonly FloatException[];
  /** Source files under the no-float rule. */
  readonly files: number;
}

/** Every rule that Biome cannot state, over the repository at `root`. */
export function checkRepository(root: string): RepositoryReport {
  const findings: Finding[] = [...checkGraph(root), ...checkConvert(root)];
  const exceptions: FloatException[] = [];
  const folders = [...INTEGER_PACKAGES.map((name) => `packages/${name}/src`), ...INTEGER_FOLDERS];
  const files = folders
    .flatMap((folder) => sourceFiles(root, folder))
    .filter((file) => !isConvert(file) && !FLOAT_FOLDERS.some((folder) => file.startsWith(`${folder}/`)));
  for (const file of files) {
    const hot = HOT_PACKAGES.some((name) => file.startsWith(`packages/${name}/`));
    const report = checkFloats(file, readFileSync(join(root, file), 'utf8'), hot);
    findings.push(...report.findings);
    exceptions.push(...report.exceptions);
  }
  return { findings, exceptions, files: files.length };
}
