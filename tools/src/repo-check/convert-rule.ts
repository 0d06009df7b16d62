import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { INTEGER_FOLDERS, INTEGER_PACKAGES } from './dependency-table.js';
import { importsOf, reExports } from './imports.js';
import { type Finding, isConvert, sourceFiles } from './source-files.js';

interface Manifest {
  readonly name: string;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/** Entry files of a package by the specifier a sibling writes. */
function entries(root: string, name: string): Map<string, string> {
  const folder = `packages/${name}`;
  const found = new Map<string, string>();
  const path = join(root, folder, 'package.json');
  if (!existsSync(path)) return found;
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  for (const [subpath, target] of Object.entries(manifest.exports ?? {})) {
    const source = typeof target === 'string' ? undefined : target['@ivit/source'];
    if (source !== undefined) found.set(manifest.name + subpath.slice(1), `${folder}/${source.replace(/^\.\//, '')}`);
  }
  return found;
}

/**
 * Run-time files never take a value out of a `convert/` folder: neither by path, nor by a name that the package's
 * entry re-exports from one. Entries themselves may re-export.
 */
export function checkConvert(root: string): Finding[] {
  const convertNames = new Map<string, Set<string>>();
  const convertEntries = new Set<string>();
  const entryFiles = new Set<string>();
  for (const name of INTEGER_PACKAGES) {
    for (const [specifier, file] of entries(root, name)) {
      entryFiles.add(file);
      if (!existsSync(join(root, file))) continue;
      const names = [...reExports(file, readFileSync(join(root, file), 'utf8'))]
        .filter(([, origin]) => origin.includes('convert/'))
        .map(([exported]) => exported);
      convertNames.set(specifier, new Set(names));
      if (/\/convert(\/|\.ts$)/.test(file)) convertEntries.add(specifier);
    }
  }
  const findings: Finding[] = [];
  const folders = [...INTEGER_PACKAGES.map((name) => `packages/${name}/src`), ...INTEGER_FOLDERS];
  for (const file of folders.flatMap((folder) => sourceFiles(root, folder))) {
    if (isConvert(file) || entryFiles.has(file)) continue;
    for (const use of importsOf(file, readFileSync(join(root, file), 'utf8'))) {
      if (use.typeOnly) continue;
      const local = use.specifier.startsWith('.') && /\/convert(\/|\.js$)/.test(use.specifier);
      if (local || convertEntries.has(use.specifier)) {
        findings.push({ file, line: use.line, rule: 'no-convert', message: `run-time file imports ${use.specifier}` });
        continue;
      }
      const forbidden = convertNames.get(use.specifier);
      for (const name of use.names) {
        if (forbidden?.has(name) !== true) continue;
        const message = `run-time file imports ${name}, a convert-time function of ${use.specifier}`;
        findings.push({ file, line: use.line, rule: 'no-convert', message });
      }
    }
  }
  return findings;
}
