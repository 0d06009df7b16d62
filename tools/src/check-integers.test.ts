import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkRepository } from './repo-check/check.js';
import { DEPENDENCY_TABLE } from './repo-check/dependency-table.js';
import { checkFloats } from './repo-check/float-rule.js';
import { tableCycles } from './repo-check/graph.js';

const project = fileURLToPath(new URL('../../', import.meta.url));

/** A repository of one clean package per row, with the project's own biome.json, in which violations are planted. */
let root = '';

function plant(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function manifest(name: string, dependencies: readonly string[]): string {
  const entries = dependencies.map((dependency) => [`@ivit/${dependency.split('/')[0]}`, 'workspace:^']);
  const exports = {
    '.': { '@ivit/source': './src/index.ts' },
    './convert': { '@ivit/source': './src/convert/index.ts' },
  };
  return `${JSON.stringify({ name: `@ivit/${name}`, exports, dependencies: Object.fromEntries(entries) }, null, 2)}\n`;
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'ivit-lint-'));
  cpSync(join(project, 'biome.json'), join(root, 'biome.json'));
  for (const [name, row] of Object.entries(DEPENDENCY_TABLE)) {
    plant(`packages/${name}/package.json`, manifest(name, row));
    plant(`packages/${name}/src/index.ts`, 'export const one = 1;\n');
  }
  plant('packages/dyadic/src/index.ts', "export { fit } from './convert/fit.js';\nexport { half } from './half.js';\n");
  plant('packages/dyadic/src/convert/index.ts', "export { fit } from './fit.js';\n");
  plant('packages/dyadic/src/convert/fit.ts', 'export const fit = (x: number): number => Math.sqrt(x) / 2;\n');
  plant('packages/dyadic/src/half.ts', 'export const half = (x: number): number => Math.floor(x * 0.5);\n');
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Plants files, runs a check, takes them out again. */
function withPlanted<T>(files: Readonly<Record<string, string>>, check: () => T): T {
  const before = new Map<string, string | undefined>();
  for (const [file, text] of Object.entries(files)) {
    let old: string | undefined;
    try {
      old = readFileSync(join(root, file), 'utf8');
    } catch {
      old = undefined;
    }
    before.set(file, old);
    plant(file, text);
  }
  try {
    return check();
  } finally {
    for (const [file, old] of before) {
      if (old === undefined) rmSync(join(root, file));
      else writeFileSync(join(root, file), old);
    }
  }
}

/** The rules Biome reports, as `rule path`, with the project's own configuration. */
function biome(): { status: number | null; reported: string[] } {
  const binary = join(project, 'node_modules/.bin/biome');
  const { status, stdout } = spawnSync(binary, ['ci', '--reporter=github', '--colors=off', '.'], {
    cwd: root,
    encoding: 'utf8',
  });
  const reported = [...stdout.matchAll(/title=([^,]+),file=([^,]+)/g)].map((match) => {
    const path = match[2] ?? '';
    return `${match[1]} ${path.slice(path.indexOf('packages/'))}`;
  });
  return { status, reported: reported.sort() };
}

function rules(): string[] {
  return checkRepository(root).findings.map((finding) => `${finding.rule} ${finding.file}`);
}

describe('the clean repository', () => {
  test('passes both checks', () => {
    expect(biome()).toEqual({ status: 0, reported: [] });
    expect(rules()).toEqual([]);
  });
});

const IMPORT = 'lint/style/noRestrictedImports';
const GLOBAL = 'lint/style/noRestrictedGlobals';

describe('Biome, with the real biome.json', () => {
  const cases: readonly [string, string, string, string][] = [
    ['a sibling outside the row', 'packages/tensor/src/a.ts', "export { one } from '@ivit/dyadic';\n", IMPORT],
    ['a type from outside the row', 'packages/tensor/src/a.ts', "export type { one } from '@ivit/dyadic';\n", IMPORT],
    [
      'a subpath outside the row',
      'packages/runtime/src/a.ts',
      "export { one } from '@ivit/formats/safetensors';\n",
      IMPORT,
    ],
    ['a backend in the runtime', 'packages/runtime/src/a.ts', "export { one } from '@ivit/backend-cpu';\n", IMPORT],
    [
      'a backend in a backend',
      'packages/backend-cpu/src/a.ts',
      "export { one } from '@ivit/backend-reference';\n",
      IMPORT,
    ],
    [
      'a backend in the testkit',
      'packages/backend-testkit/src/a.ts',
      "export { one } from '@ivit/backend-cpu';\n",
      IMPORT,
    ],
    ['a dynamic import', 'packages/runtime/src/a.ts', "export const late = import('@ivit/models');\n", IMPORT],
    ['the front door', 'packages/models/src/a.ts', "export { one } from 'ivit';\n", IMPORT],
    ['a path into a sibling', 'packages/models/src/a.ts', "export { one } from '../../dyadic/src/half.js';\n", IMPORT],
    ['convert/ at run time', 'packages/dyadic/src/a.ts', "export { fit } from './convert/fit.js';\n", IMPORT],
    ['an entry for convert time', 'packages/program/src/a.ts', "export { fit } from '@ivit/dyadic/convert';\n", IMPORT],
    ['a float array', 'packages/dyadic/src/a.ts', 'export const weights = new Float32Array(1);\n', GLOBAL],
    [
      'a float array on the file path',
      'packages/formats/src/program/a.ts',
      'export const a = new Float64Array(1);\n',
      GLOBAL,
    ],
    ['any', 'packages/dyadic/src/a.ts', 'export const a = (x: any): number => x;\n', 'lint/suspicious/noExplicitAny'],
    [
      'a non-null assertion',
      'packages/dyadic/src/a.ts',
      'export const a = (x?: number): number => x!;\n',
      'lint/style/noNonNullAssertion',
    ],
  ];
  test.each(cases)('reports %s', (_what, file, text, rule) => {
    const { status, reported } = withPlanted({ [file]: text }, biome);
    expect(status).toBe(1);
    expect(reported).toEqual([`${rule} ${file}`]);
  });

  test('lets tests and convert-time files do what they need', () => {
    const result = withPlanted(
      {
        'packages/tensor/src/a.test.ts': "export { one } from '@ivit/dyadic';\n",
        'packages/dyadic/src/convert/a.ts': 'export const weights = new Float32Array(1);\n',
        'packages/image/src/coefficients/a.ts': 'export const weights = new Float64Array(1);\n',
        'packages/runtime/src/a.ts': "export { one } from '@ivit/formats/program';\n",
      },
      biome,
    );
    expect(result).toEqual({ status: 0, reported: [] });
  });
});

describe('the repository check', () => {
  const floats: readonly [string, string][] = [
    ['division', 'export const a = (x: number): number => x / 3;\n'],
    ['dividing assignment', 'export function a(x: number): number {\n  let y = x;\n  y /= 3;\n  return y;\n}\n'],
    ['Math.exp', 'export const a = (x: number): number => Math.exp(x);\n'],
    ['Math.round', 'export const a = (x: number): number => Math.round(x);\n'],
    ['Math by another name', 'export const { sqrt } = Math;\n'],
    ['a power', 'export const a = (x: number): number => 2 ** x;\n'],
    ['a fraction', 'export const a = 0.1;\n'],
    ['Float32Array', 'export const a = new Float32Array(1);\n'],
    ['Float64Array as a type', 'export type A = Float64Array;\n'],
    ['parseFloat', "export const a = Number.parseFloat('1');\n"],
    ['a float from bytes', 'export const a = (x: DataView): number => x.getFloat32(0);\n'],
  ];
  test.each(floats)('reports %s', (_what, text) => {
    for (const file of [
      'packages/dyadic/src/a.ts',
      'packages/runtime/src/deep/a.ts',
      'packages/formats/src/program/a.ts',
    ]) {
      expect(withPlanted({ [file]: text }, rules)).toEqual([`no-float ${file}`]);
    }
    expect(withPlanted({ 'packages/dyadic/src/convert/a.ts': text, 'packages/models/src/a.ts': text }, rules)).toEqual(
      [],
    );
  });

  test('reports BigInt in packages of hot loops only', () => {
    const text = 'export const a = BigInt(1) + 2n;\n';
    const file = 'packages/tensor/src/a.ts';
    expect(withPlanted({ [file]: text, 'packages/program/src/a.ts': text }, rules)).toEqual([
      `no-bigint ${file}`,
      `no-bigint ${file}`,
    ]);
  });

  test('counts excused lines and refuses empty or stale excuses', () => {
    const excused = 'export const a = (x: number): number => x / 2; // float-ok: x is even\n';
    const above = '// float-ok: x is even\nexport const a = (x: number): number => x / 2;\n';
    const reason = { findings: [], exceptions: [expect.objectContaining({ line: 1, reason: 'x is even' })] };
    expect(checkFloats('a.ts', excused, false)).toEqual(reason);
    expect(checkFloats('a.ts', above, false)).toEqual(reason);
    const empty = checkFloats('a.ts', 'export const a = (x: number): number => x / 2; // float-ok:\n', false);
    expect(empty.findings.map((finding) => finding.rule)).toEqual(['no-reason']);
    const stale = checkFloats('a.ts', 'export const a = 1; // float-ok: nothing here\n', false);
    expect(stale.findings.map((finding) => finding.rule)).toEqual(['stale-mark']);
  });

  test('leaves exact integer code alone', () => {
    const text =
      'export const a = (x: number): number => Math.floor(x * 2.3283064365386963e-10) + 2 ** 31 + 1e6 + (x >> 3);\n';
    expect(checkFloats('a.ts', text, true).findings).toEqual([]);
  });

  test('reports a sibling outside the row, in sources and in package.json', () => {
    const source = 'packages/tensor/src/a.ts';
    expect(withPlanted({ [source]: "export { one } from '@ivit/program';\n" }, rules)).toEqual([
      `dependency-table ${source}`,
    ]);
    const file = 'packages/tensor/package.json';
    expect(withPlanted({ [file]: manifest('tensor', ['program']) }, rules)).toEqual([`dependency-table ${file}`]);
  });

  test('reports an import that package.json does not declare', () => {
    const planted = {
      'packages/nonlinear/package.json': manifest('nonlinear', []),
      'packages/nonlinear/src/a.ts': "export { half } from '@ivit/dyadic';\n",
    };
    expect(withPlanted(planted, rules)).toEqual(['undeclared-dependency packages/nonlinear/src/a.ts']);
  });

  test('reports a value import in the contract package', () => {
    const file = 'packages/backend/src/a.ts';
    expect(withPlanted({ [file]: "export { one } from '@ivit/program';\n" }, rules)).toEqual([
      `dependency-table ${file}`,
    ]);
    expect(withPlanted({ [file]: "export type { one } from '@ivit/program';\n" }, rules)).toEqual([]);
  });

  test('reports a package without a row', () => {
    const file = 'packages/tensor2/package.json';
    expect(withPlanted({ [file]: manifest('tensor2', []) }, rules)).toEqual(['dependency-table packages/tensor2']);
  });

  test('reports biome.json when it leaves the table', () => {
    const loosened = readFileSync(join(project, 'biome.json'), 'utf8').replace('"!@ivit/nonlinear",', '');
    expect(withPlanted({ 'biome.json': loosened }, rules)).toContain('dependency-table biome.json');
  });

  test('reports convert-time functions taken through an entry', () => {
    const file = 'packages/program/src/a.ts';
    expect(withPlanted({ [file]: "export { fit } from '@ivit/dyadic';\n" }, rules)).toEqual([`no-convert ${file}`]);
    expect(withPlanted({ [file]: "export { fit } from '@ivit/dyadic/convert';\n" }, rules)).toEqual([
      `no-convert ${file}`,
    ]);
    expect(withPlanted({ [file]: "export { half } from '@ivit/dyadic';\n" }, rules)).toEqual([]);
  });

  test('reports an import cycle, not a cycle of types', () => {
    const cycle = {
      'packages/tensor/src/a.ts': "import { b } from './b.js';\n\nexport const a = b;\n",
      'packages/tensor/src/b.ts': "import { a } from './a.js';\n\nexport const b = a;\n",
    };
    expect(withPlanted(cycle, rules)).toEqual(['import-cycle packages/tensor/src/b.ts']);
    const types = {
      ...cycle,
      'packages/tensor/src/b.ts': "import type { a } from './a.js';\n\nexport type B = typeof a;\n",
    };
    expect(withPlanted(types, rules)).toEqual([]);
  });

  test('the table itself has no cycle, and a cycle would be seen', () => {
    expect(tableCycles(DEPENDENCY_TABLE)).toEqual([]);
    expect(tableCycles({ ...DEPENDENCY_TABLE, dyadic: ['program'] })).not.toEqual([]);
  });
});
