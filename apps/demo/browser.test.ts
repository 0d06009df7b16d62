import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

it('bundles the front door for browsers without a Node module', async () => {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: "import { loadModel } from 'ivit'; globalThis.load = loadModel;",
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    write: false,
    metafile: true,
    splitting: true,
    outdir: 'out',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@ivit/source'],
    minify: true,
  });
  const inputs = Object.keys(metafile.inputs);
  expect(inputs.filter((path) => path.includes('ivit/src/node/')).map((path) => path.split('/').at(-1))).toEqual([
    'absent.ts',
  ]);
  // Only imported names count: at run time `process.getBuiltinModule` is asked for some, where it is there.
  const imported = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*["'`]node:/;
  const importers = outputFiles.filter(({ text }) => imported.test(text)).map(({ path }) => path);
  expect(importers).toEqual([]);
  // Nothing of the backend and the decoders is in what a page loads first.
  const entry = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === '<stdin>');
  const first = Object.keys(entry?.[1].inputs ?? {});
  expect(first.filter((path) => /backend-(cpu|reference)|image\/src\/(png|jpeg)/.test(path))).toEqual([]);
});
