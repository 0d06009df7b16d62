import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FRONT_DOOR } from './dependency-table.js';
import { packageFolders } from './graph.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Manifest extends Readonly<Record<string, unknown>> {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly files: readonly string[];
}

const KEYS = [
  'name',
  'version',
  'description',
  'type',
  'license',
  'sideEffects',
  'repository',
  'exports',
  'imports',
  'bin',
  'files',
  'engines',
  'publishConfig',
  'scripts',
  'dependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'devDependencies',
];

/** Entries that act when they are imported: a bundler that thinks otherwise leaves them out. */
const ACTING: Readonly<Record<string, string>> = { 'backend-cpu': 'worker', ivit: 'model-worker' };

/** What must not be published for the sources to be read, by the ending or folder that it has. */
const UNPUBLISHED: readonly (readonly [RegExp, string])[] = [
  [/\.test-d\.ts$/, '!src/**/*.test-d.ts'],
  [/(^|\/)testing\//, '!src/**/testing'],
];

describe.each(packageFolders(root))('packages/%s/package.json', (name) => {
  const folder = join(root, 'packages', name);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

  it('has the keys that all have, in their order', () => {
    expect(Object.keys(manifest)).toEqual(KEYS.filter((key) => key in manifest));
    expect(manifest['description']).toMatch(/^[A-Z].{20,}[^.]$/);
  });

  it('says the same of itself as its siblings', () => {
    expect(manifest).toMatchObject({
      name: name === FRONT_DOOR ? FRONT_DOOR : `@ivit/${name}`,
      type: 'module',
      license: 'Apache-2.0',
      repository: { type: 'git', url: 'git+https://github.com/ivit/ivit.git', directory: `packages/${name}` },
      engines: { node: '>=20.19' },
      publishConfig: { access: 'public' },
      scripts: { build: expect.stringMatching(/tsup$/), typecheck: 'tsc --noEmit -p .' },
    });
    const acting = ACTING[name];
    expect(manifest['sideEffects']).toEqual(acting !== undefined && [`./dist/${acting}.js`, `./src/${acting}.ts`]);
  });

  it('gives out each entry as source, types and code, and itself', () => {
    for (const [entry, target] of Object.entries(manifest.exports)) {
      if (typeof target === 'string') continue;
      const [, stem = ''] = /^\.\/dist\/(.*)\.js$/.exec((target as { default: string }).default) ?? [];
      expect(Object.entries(target as object), entry).toEqual([
        ['@ivit/source', expect.stringMatching(/^\.\/src\/.*\.ts$/)],
        ['types', `./dist/${stem}.d.ts`],
        ['default', `./dist/${stem}.js`],
      ]);
      expect(existsSync(join(folder, (target as { '@ivit/source': string })['@ivit/source'])), entry).toBe(true);
    }
    expect(manifest.exports['./package.json']).toBe('./package.json');
  });

  it('publishes sources without what only tests need, readme and license', () => {
    const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' });
    const unpublished = UNPUBLISHED.filter(([pattern]) => sources.some((file) => pattern.test(file)));
    const excluded = ['!src/**/*.test.ts', ...unpublished.map(([, files]) => files)];
    expect(manifest.files).toEqual(expect.arrayContaining(['dist', 'src']));
    expect(manifest.files.filter((file) => file.startsWith('!'))).toEqual(excluded);
    expect(['README.md', 'LICENSE'].filter((file) => !existsSync(join(folder, file)))).toEqual([]);
  });
});
