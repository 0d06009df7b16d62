import { fileURLToPath } from 'node:url';
import type { Backend } from '@ivit/backend';
import { createReferenceBackend } from '@ivit/backend-reference';
import { expect, test } from 'vitest';
import { goldenExpected, goldenFound } from './golden-checks.js';
import { folderAt } from './read-folder.js';

const VALUE = 'blocks.0.qact1';
const folders = new Map([
  ['tiny_vit', folderAt(fileURLToPath(new URL('../../../vectors/ivit/tiny_vit', import.meta.url)))],
]);
const quiet = { tell: () => undefined };

/** The reference backend, but for one bit of one element of the third image of a value. */
function damaged(value: string, element: number): Backend {
  const backend = createReferenceBackend();
  return {
    ...backend,
    probe: () => backend.probe(),
    async compile(program, options) {
      const executable = await backend.compile(program, options);
      let images = 0;
      return {
        ...executable,
        dispose: () => executable.dispose(),
        async run(pixels, rule) {
          const outputs = await executable.run(pixels, rule);
          const tensor = outputs[value];
          const count = rule?.batch ?? 1;
          if (
            tensor !== undefined &&
            options?.outputs !== undefined &&
            options.outputs.length > 1 &&
            images + count > 2
          ) {
            const at = (2 - images) * (tensor.data.length / count) + element;
            tensor.data[at] = (tensor.data[at] as number) ^ 1;
          }
          images += count;
          return outputs;
        },
      };
    },
  };
}

const subject = (create: () => Backend, batch: number) => ({ name: 'own', create, batch });

test('a backend that is right has nothing but what is expected', async () => {
  const subjects = [subject(createReferenceBackend, 3)];
  const found = await goldenFound(folders, subjects, quiet);
  expect(found).toEqual(await goldenExpected(folders, subjects));
  expect(Object.keys(found).length).toBeGreaterThan(90);
});

test('one wrong bit is told with model, value, image and element', async () => {
  const subjects = [subject(() => damaged(VALUE, 5), 2)];
  const found = await goldenFound(folders, subjects, quiet);
  const expected = await goldenExpected(folders, subjects);
  const different = Object.entries(found).filter(([name, text]) => expected[name] !== text);
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  const [, text] =
    different.find(([name]) => name === `own: golden tiny_vit: state_dict.safetensors ${VALUE} sha256`) ?? [];
  expect(text).toMatch(/^the hash differs: from image 2 on, \[5\] is -?\d+ instead of -?\d+ of the reference backend$/);
  for (const [name] of different) expect(name).toContain(VALUE);
});

test('models with more images than a subject takes are left out, expected and found alike', async () => {
  const subjects = [{ ...subject(createReferenceBackend, 1), mostImages: 3 }];
  expect(await goldenFound(folders, subjects, quiet)).toEqual({});
  expect(await goldenExpected(folders, subjects)).toEqual({});
});
