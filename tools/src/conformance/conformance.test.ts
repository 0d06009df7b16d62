import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Backend } from '@ivit/backend';
import { createCpuBackend } from '@ivit/backend-cpu';
import { createReferenceBackend } from '@ivit/backend-reference';
import { expect, it } from 'vitest';
import { reportDifferences } from './compare.js';
import { checkSubject, expectedOf, type Subject } from './cpu-subjects.js';
import { modelDigests } from './model-digests.js';
import { kitTests, PASSED, runKit } from './run-kit.js';

const packages = fileURLToPath(new URL('../../../packages', import.meta.url));
const material = {
  file: readFileSync(`${packages}/model-cifar10/model.safetensors`),
  photos: new Map([['cat.jpg', readFileSync(`${packages}/ivit/photos/cat.jpg`)]]),
};

/** The reference backend, except that one bit of each int32 output is wrong. */
function oneBitOff(): Backend {
  const backend = createReferenceBackend();
  return {
    ...backend,
    probe: (options) => backend.probe(options),
    compile: async (program, options) => {
      const executable = await backend.compile(program, options);
      return {
        info: executable.info,
        trace: (pixels) => executable.trace(pixels),
        dispose: () => executable.dispose(),
        run: async (pixels, rest) => {
          const outputs = await executable.run(pixels, rest);
          for (const { data } of Object.values(outputs)) {
            if (data instanceof Int32Array) data[data.length - 1] = (data.at(-1) ?? 0) ^ 1;
          }
          return outputs;
        },
      };
    },
  };
}

function counts(expected: Record<string, string>, found: Record<string, string>): readonly [string, number] {
  const lines: string[] = [];
  const code = reportDifferences(expected, found, (line) => lines.push(line));
  return [lines.at(-1) ?? '', code];
}

it('runs the tests of the suite that are asked for', async () => {
  const all = kitTests(createReferenceBackend);
  const some = kitTests(createReferenceBackend, /^(manifest|linear)$/);
  expect(all.size).toBeGreaterThan(80);
  expect(some.size).toBeGreaterThan(5);
  expect(some.size).toBeLessThan(20);
  expect(new Set(Object.values(await runKit(some)))).toEqual(new Set([PASSED]));
});

it('sees one wrong bit', async () => {
  const found = await runKit(kitTests(oneBitOff, /^linear$/));
  for (const message of Object.values(found)) expect(message).toContain('expected');
});

it('sees wrong threads, wrong values, a failed test and a missing result', async () => {
  const create = (): Backend => createCpuBackend({ threads: 1 });
  const subject: Subject = { name: 'subject', create, threads: 1, only: /^manifest$/ };
  const digests = await modelDigests(createReferenceBackend(), material.file, material.photos);
  const expected = expectedOf(subject, digests);
  const found = await checkSubject(subject, material);
  const size = Object.keys(expected).length;
  expect(size).toBeGreaterThan(8);
  expect(counts(expected, found)).toEqual([`${size} checked, 0 different`, 0]);

  expect(counts(expectedOf({ ...subject, threads: 2 }, digests), found)).toEqual([`${size} checked, 1 different`, 1]);
  const [first = ''] = Object.keys(digests).filter((name) => name.includes('values'));
  const changed = expectedOf(subject, { ...digests, [first]: 'another' });
  expect(counts(changed, found)).toEqual([`${size} checked, 1 different`, 1]);
  const { [Object.keys(found).at(-1) ?? '']: _, ...rest } = found;
  expect(counts(expected, rest)).toEqual([`${size} checked, 1 different`, 1]);
  expect(counts({}, {})).toEqual(['0 checked, 0 different', 1]);
});
