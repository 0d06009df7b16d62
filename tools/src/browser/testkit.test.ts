import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@ivit/source'],
    minify: true,
  });
  return outputFiles[0]?.text ?? '';
}

it('the conformance suite bundles for a page, vectors included, and runs from the bundle', async () => {
  const page = await bundle("export { runBackendConformance } from '@ivit/backend-testkit';");
  expect(/["'`]node:/.test(page)).toBe(false);
  const module: unknown = await import(`data:text/javascript;base64,${Buffer.from(page).toString('base64')}`);
  if (typeof module !== 'object' || module === null || !('runBackendConformance' in module))
    throw new Error('no export');
  const { runBackendConformance } = module;
  if (typeof runBackendConformance !== 'function') throw new Error('no function');
  const { createReferenceBackend } = await import('@ivit/backend-reference');
  const bodies = new Map<string, () => Promise<void>>();
  const describe = (_: string, body: () => void): void => body();
  const it = (name: string, body: () => Promise<void>): void => void bodies.set(name, body);
  runBackendConformance({ describe, it }, { create: createReferenceBackend });
  expect(bodies.size).toBeGreaterThan(85);
  const vectors = bodies.get('linear: sizes around tiles');
  expect(vectors).toBeDefined();
  await vectors?.();
});

it('a page that only draws random integers carries no vectors', async () => {
  const page = await bundle("export { createRandom } from '@ivit/backend-testkit';");
  expect(page.length).toBeLessThan(5000);
});
