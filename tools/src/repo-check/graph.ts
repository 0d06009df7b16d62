import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEPENDENCY_TABLE, FRONT_DOOR } from './dependency-table.js';
import { importsOf } from './imports.js';
import { type Finding, sourceFiles } from './source-files.js';

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export function packageFolders(root: string): string[] {
  return readdirSync(join(root, 'packages'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(root, 'packages', entry.name, 'package.json')))
    .map((entry) => entry.name)
    .sort();
}

/** `@ivit/formats/program` → `formats/program`; `ivit/worker` → `ivit/worker`; undefined for anything that is not ours. */
function sibling(specifier: string): string | undefined {
  if (specifier.startsWith('@ivit/')) return specifier.slice('@ivit/'.length);
  return specifier === FRONT_DOOR || specifier.startsWith(`${FRONT_DOOR}/`) ? specifier : undefined;
}

function mayUse(name: string, target: string): boolean {
  if (name === FRONT_DOOR) return target !== FRONT_DOOR;
  const row = DEPENDENCY_TABLE[name] ?? [];
  return row.some((allowed) => target === allowed || target.startsWith(`${allowed}/`));
}

/** A package.json dependency names a whole package, a row may name a subpath. */
function mayDepend(name: string, target: string): boolean {
  if (name === FRONT_DOOR) return target !== FRONT_DOOR;
  return (DEPENDENCY_TABLE[name] ?? []).some((allowed) => allowed.split('/')[0] === target);
}

function checkManifest(root: string, name: string): Finding[] {
  const file = `packages/${name}/package.json`;
  const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest;
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
  const findings: Finding[] = [];
  const expected = name === FRONT_DOOR ? FRONT_DOOR : `@ivit/${name}`;
  if (manifest.name !== expected) {
    findings.push({ file, line: 0, rule: 'dependency-table', message: `is named ${manifest.name}, not ${expected}` });
  }
  for (const dependency of Object.keys(declared)) {
    const target = sibling(dependency);
    if (target !== undefined && !mayDepend(name, target)) {
      findings.push({ file, line: 0, rule: 'dependency-table', message: `depends on ${dependency}: not in its row` });
    }
  }
  for (const source of sourceFiles(root, `packages/${name}/src`)) {
    for (const use of importsOf(source, readFileSync(join(root, source), 'utf8'))) {
      const target = sibling(use.specifier);
      if (target === undefined) continue;
      if (!mayUse(name, target)) {
        const message = `imports ${use.specifier}: not in the row of ${expected}`;
        findings.push({ file: source, line: use.line, rule: 'dependency-table', message });
      } else if (
        !(
          use.specifier
            .split('/')
            .slice(0, use.specifier.startsWith('@') ? 2 : 1)
            .join('/') in declared
        )
      ) {
        const message = `imports ${use.specifier}, which package.json does not declare`;
        findings.push({ file: source, line: use.line, rule: 'undeclared-dependency', message });
      }
      // The contract package is types alone: whoever implements a backend installs nothing with it.
      if (name === 'backend' && !use.typeOnly) {
        const message = `imports a value from ${use.specifier}; the contract imports types only`;
        findings.push({ file: source, line: use.line, rule: 'dependency-table', message });
      }
    }
  }
  return findings;
}

/** Import cycles between the files of one package, each reported once. Type-only imports leave no cycle at run time. */
function checkCycles(root: string, name: string): Finding[] {
  const files = sourceFiles(root, `packages/${name}/src`);
  const known = new Set(files);
  const edges = new Map<string, string[]>();
  for (const file of files) {
    const targets: string[] = [];
    for (const use of importsOf(file, readFileSync(join(root, file), 'utf8'))) {
      if (use.typeOnly || !use.specifier.startsWith('.')) continue;
      const target = join(file, '..', use.specifier).replaceAll('\\', '/').replace(/\.js$/, '.ts');
      if (known.has(target)) targets.push(target);
    }
    edges.set(file, targets);
  }
  const findings: Finding[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const walk = (file: string): void => {
    state.set(file, 'open');
    path.push(file);
    for (const target of edges.get(file) ?? []) {
      if (state.get(target) === 'open') {
        const cycle = [...path.slice(path.indexOf(target)), target].map((step) =>
          step.replace(`packages/${name}/src/`, ''),
        );
        findings.push({ file, line: 0, rule: 'import-cycle', message: cycle.join(' -> ') });
      } else if (!state.has(target)) {
        walk(target);
      }
    }
    path.pop();
    state.set(file, 'done');
  };
  for (const file of files) if (!state.has(file)) walk(file);
  return findings;
}

/** The dependency table has a cycle: the row where it closes. */
export function tableCycles(table: Readonly<Record<string, readonly string[]>>): string[] {
  const cycles: string[] = [];
  const done = new Set<string>();
  const walk = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) {
      cycles.push([...path.slice(path.indexOf(name)), name].join(' -> '));
      return;
    }
    if (done.has(name)) return;
    for (const dependency of table[name] ?? []) walk(dependency.split('/')[0] ?? '', [...path, name]);
    done.add(name);
  };
  for (const name of Object.keys(table)) walk(name, []);
  return cycles;
}

/** The import restriction that biome.json must hold for one row of the table. */
export function restrictedGroup(name: string): string[] {
  const row = DEPENDENCY_TABLE[name] ?? [];
  const subpaths = row.filter((target) => !target.includes('/')).map((target) => `!@ivit/${target}/**`);
  return ['@ivit/**', ...row.map((target) => `!@ivit/${target}`), ...subpaths, FRONT_DOOR, `${FRONT_DOOR}/**`];
}

interface BiomeOverride {
  readonly includes?: readonly string[];
  readonly linter?: {
    readonly rules?: {
      readonly style?: {
        readonly noRestrictedImports?: {
          readonly options?: { readonly patterns?: readonly { readonly group: readonly string[] }[] };
        };
      };
    };
  };
}

function checkBiome(root: string): Finding[] {
  const config = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')) as { overrides?: readonly BiomeOverride[] };
  const findings: Finding[] = [];
  for (const name of Object.keys(DEPENDENCY_TABLE)) {
    const expected = JSON.stringify(restrictedGroup(name));
    const rooms = (config.overrides ?? []).filter((override) => {
      const restricts = override.linter?.rules?.style?.noRestrictedImports !== undefined;
      return restricts && override.includes?.includes(`packages/${name}/src/**/*.ts`) === true;
    });
    const agree = rooms.every((room) => {
      const patterns = room.linter?.rules?.style?.noRestrictedImports?.options?.patterns ?? [];
      return patterns.some((pattern) => JSON.stringify(pattern.group) === expected);
    });
    if (rooms.length === 0 || !agree) {
      const message = `the overrides for packages/${name} do not say ${expected}`;
      findings.push({ file: 'biome.json', line: 0, rule: 'dependency-table', message });
    }
  }
  return findings;
}

/** package.json files, sources and biome.json against the dependency table; import cycles. */
export function checkGraph(root: string): Finding[] {
  const findings: Finding[] = tableCycles(DEPENDENCY_TABLE).map((cycle) => {
    return { file: 'tools/src/repo-check/dependency-table.ts', line: 0, rule: 'dependency-table', message: cycle };
  });
  for (const name of packageFolders(root)) {
    if (name !== FRONT_DOOR && DEPENDENCY_TABLE[name] === undefined) {
      findings.push({ file: `packages/${name}`, line: 0, rule: 'dependency-table', message: 'has no row' });
      continue;
    }
    findings.push(...checkManifest(root, name), ...checkCycles(root, name));
  }
  return [...findings, ...checkBiome(root)];
}
