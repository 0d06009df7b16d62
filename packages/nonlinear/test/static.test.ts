import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SOURCE = fileURLToPath(new URL('../src', import.meta.url));

/** Run-time sources without comments and strings: everything but tests and `convert/`. */
function runTimeSources(): { readonly name: string; readonly code: string; readonly imports: string[] }[] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.startsWith('convert'))
    .map((name) => {
      const text = readFileSync(`${SOURCE}/${name}`, 'utf8');
      const bare = text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/\/\/.*$/gm, ' ');
      const imports = [...bare.matchAll(/from '([^']+)'/g)].map((match) => match[1] as string);
      return { name, code: bare.replace(/`(?:[^`\\]|\\.)*`|'[^'\n]*'/g, "''"), imports };
    });
}

describe('run-time sources', () => {
  const sources = runTimeSources();

  it('are found', () => {
    expect(sources.length).toBeGreaterThan(3);
  });

  it.each(sources)('$name: no BigInt, no float array, no inexact Math, no bare division, no convert', (source) => {
    expect(source.code).not.toMatch(/BigInt|\b\d+n\b/);
    expect(source.code).not.toMatch(/Float(16|32|64)Array|getFloat|setFloat/);
    expect(source.code).not.toMatch(/Math\.(sqrt|exp|expm1|log\w*|pow|fround|round|tanh|cbrt|sin|cos)\b|\*\*/);
    expect(source.code.split('/').length - 1).toBe(0);
    expect(source.imports.filter((from) => from.includes('convert'))).toEqual([]);
  });
});
