import { createHash } from 'node:crypto';
import { createReferenceBackend } from '@ivit/backend-reference';
import { writeProgram } from '@ivit/formats/program';
import { modelId } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import manifest from '../package.json';
import { codeOf } from '../test/code-of.js';
import {
  brokenBackend,
  checkedProgram,
  countingBackend,
  pixelsOf,
  tinyLogits,
  tinyProgram,
} from '../test/tiny-program.js';
import { createModel, type ModelPhase } from './index.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const reference = createReferenceBackend();

describe('createModel', () => {
  it('loads bytes and a program alike and says what runs', async () => {
    const program = checkedProgram();
    const bytes = writeProgram(program);
    const phases: [ModelPhase, string | undefined][] = [];
    const model = await createModel({
      program: bytes,
      backends: [reference],
      integrity: `sha256-${sha256(bytes)}`,
      onPhase: (phase, backend) => phases.push([phase, backend]),
    });
    expect(phases).toEqual([
      ['read', undefined],
      ['compile', reference.name],
      ['self-check', reference.name],
    ]);
    expect(model.info).toMatchObject({
      spec: 'ivit/1',
      model: modelId(program),
      runtime: manifest.version,
      backend: { name: reference.name, version: reference.version },
      selfCheck: 'passed',
      skipped: [],
      maxBatch: 16,
    });
    const other = await createModel({ program, backends: [reference] });
    expect(other.info.model).toBe(model.info.model);
    await model.dispose();
    await other.dispose();
  });

  it('says that a program carries no self-check', async () => {
    const model = await createModel({ program: tinyProgram(), backends: [reference] });
    expect(model.info.selfCheck).toBe('absent');
  });

  it('refuses bytes of another digest before reading them', async () => {
    const bytes = writeProgram(checkedProgram());
    const integrity = `sha256-${sha256(bytes)}`;
    expect(await codeOf(() => createModel({ program: Uint8Array.of(1), backends: [reference], integrity }))).toBe(
      'E_INTEGRITY',
    );
    expect(await codeOf(() => createModel({ program: checkedProgram(), backends: [reference], integrity }))).toBe(
      'E_INTEGRITY',
    );
  });

  it('passes over a device that computes wrongly and says why', async () => {
    const broken = brokenBackend();
    const model = await createModel({ program: checkedProgram(), backends: [broken, reference] });
    expect(model.info.backend.name).toBe(reference.name);
    expect(model.info.skipped).toEqual([
      { backend: 'broken', code: 'E_SELF_CHECK', reason: expect.stringContaining("The logits' sha256 is") },
    ]);
    expect(broken.disposed()).toBe(1);
    const pixels = pixelsOf(3);
    const [result] = await model.run([{ pixels }]);
    expect(result?.outputs['logits']?.data).toEqual(tinyLogits(pixels));
  });

  it('throws the reason of a lone backend, and all reasons of several', async () => {
    const program = checkedProgram();
    expect(await codeOf(() => createModel({ program, backends: [brokenBackend()] }))).toBe('E_SELF_CHECK');
    expect(await codeOf(() => createModel({ program, backends: [] }))).toBe('E_NO_BACKEND');
    const absent = {
      ...reference,
      name: 'absent',
      probe: async () => ({ available: false, code: 'E_NO_GPU', reason: 'no adapter' }) as const,
    };
    const work = createModel({ program, backends: [brokenBackend('first'), absent] });
    await expect(work).rejects.toThrow(/first: E_SELF_CHECK, .*; absent: E_NO_GPU, no adapter/);
    expect(await codeOf(() => work)).toBe('E_NO_BACKEND');
  });

  it('refuses a program that the validator refuses, and one over the limits', async () => {
    const program = tinyProgram();
    expect(await codeOf(() => createModel({ program: { ...program, output: 'ghost' }, backends: [reference] }))).toBe(
      'E_PROGRAM_OUTPUT',
    );
    expect(await codeOf(() => createModel({ program, backends: [reference], limits: { macs: 10 } }))).toBe(
      'E_PROGRAM_LIMIT',
    );
  });

  it('stops at an aborted signal', async () => {
    const work = (): unknown =>
      createModel({ program: tinyProgram(), backends: [reference], signal: AbortSignal.abort() });
    expect(await codeOf(work)).toBe('E_ABORTED');
    const model = await createModel({ program: tinyProgram(), backends: [reference] });
    const aborted = { signal: AbortSignal.abort() };
    expect(await codeOf(() => model.run([{ pixels: pixelsOf(1) }], aborted))).toBe('E_ABORTED');
    expect(await codeOf(() => model.prepare({ pixels: pixelsOf(1) }, aborted))).toBe('E_ABORTED');
  });
});

describe('run', () => {
  it('gives each image its outputs and a receipt that does not depend on the batch', async () => {
    const program = checkedProgram();
    const images = Array.from({ length: 5 }, (_, seed) => pixelsOf(seed));
    const counting = countingBackend();
    const batched = await createModel({ program, backends: [counting], maxBatch: 2 });
    const results = await batched.run(
      images.map((pixels) => ({ pixels })),
      { outputs: ['logits', 'classes', 'centered', 'embedding'] },
    );
    // The first entry is the self-check.
    expect(counting.batches).toEqual([1, 2, 2, 1]);
    for (const [index, pixels] of images.entries()) {
      const logits = tinyLogits(pixels);
      const result = results[index];
      expect(result?.outputs['logits']).toEqual({ dtype: 'i32', shape: [3], data: logits });
      expect(result?.outputs['classes']).toEqual(result?.outputs['logits']);
      expect(result?.outputs['centered']).toEqual({
        dtype: 'i8',
        shape: [4, 4, 3],
        data: Int8Array.from(pixels, (pixel) => pixel - 128),
      });
      expect(result?.outputs['embedding']).toEqual(result?.outputs['centered']);
      expect(result?.receipt).toEqual({
        spec: 'ivit/1',
        model: modelId(program),
        pixels: sha256(pixels),
        output: sha256(new Uint8Array(logits.buffer)),
      });
      expect(result?.runtime).toBe(manifest.version);
    }
    const alone = await createModel({ program, backends: [reference], maxBatch: 1 });
    const [single] = await alone.run([{ pixels: images[4] ?? new Uint8Array() }]);
    expect(single?.receipt).toEqual(results[4]?.receipt);
    expect(Object.keys(single?.outputs ?? {})).toEqual(['logits']);
  });

  it('names the values there are for one there is not', async () => {
    const model = await createModel({ program: tinyProgram(), backends: [reference] });
    const work = model.run([{ pixels: pixelsOf(1) }], { outputs: ['attention'] });
    await expect(work).rejects.toThrow(/no value "attention".*centered/);
    expect(await codeOf(() => work)).toBe('E_INPUT');
    expect(await codeOf(() => model.run([], { outputs: ['toString'] }))).toBe('E_INPUT');
  });

  it('takes RGB and RGBA pixels alike, through resize and crop', async () => {
    const model = await createModel({ program: tinyProgram(), backends: [reference] });
    const width = 9;
    const height = 7;
    const rgb = Uint8Array.from({ length: width * height * 3 }, (_, index) => (index * 31) % 256);
    const rgba = new Uint8ClampedArray(width * height * 4);
    for (let pixel = 0; pixel < width * height; pixel++) {
      for (let color = 0; color < 3; color++) rgba[pixel * 4 + color] = rgb[pixel * 3 + color] ?? 0;
      rgba[pixel * 4 + 3] = pixel % 256;
    }
    const results = await model.run([
      { width, height, data: rgb },
      { width, height, data: rgba },
    ]);
    expect(results[0]?.receipt).toEqual(results[1]?.receipt);
    const prepared = await model.prepare({ width, height, data: rgb });
    expect(prepared.pixels).toHaveLength(48);
    expect(sha256(prepared.pixels)).toBe(results[0]?.receipt.pixels);
  });

  it('takes pixels of exactly the input size where the program has no image rule', async () => {
    const { image: _, ...program } = tinyProgram();
    const model = await createModel({ program, backends: [reference] });
    const data = pixelsOf(5);
    const [result] = await model.run([{ width: 4, height: 4, data }]);
    expect(result?.outputs['logits']?.data).toEqual(tinyLogits(data));
    expect(await codeOf(() => model.run([{ width: 4, height: 3, data: data.slice(0, 36) }]))).toBe('E_INPUT');
  });

  it('refuses what is no image', async () => {
    const model = await createModel({ program: tinyProgram(), backends: [reference] });
    expect(await codeOf(() => model.run([{ pixels: new Uint8Array(47) }]))).toBe('E_INPUT');
    expect(await codeOf(() => model.run([{ width: 2, height: 2, data: new Uint8Array(11) }]))).toBe('E_INPUT');
    expect(await codeOf(() => model.run([{ width: 0, height: 2, data: new Uint8Array(0) }]))).toBe('E_INPUT');
    // @ts-expect-error a string is no image here: the front door reads files, the runtime does not
    expect(await codeOf(() => model.run(['cat.jpg']))).toBe('E_INPUT');
    // @ts-expect-error nor is an object without bytes
    expect(await codeOf(() => model.run([{}]))).toBe('E_INPUT');
    // @ts-expect-error nor are pixels that are missing, or floats
    expect(await codeOf(() => model.run([{ width: 4, height: 4, data: undefined }]))).toBe('E_INPUT');
    // @ts-expect-error
    expect(await codeOf(() => model.run([{ width: 4, height: 4, data: new Float32Array(48) }]))).toBe('E_INPUT');
    expect(await codeOf(() => model.run([new Uint8Array(10)]))).toMatch(/^E_/);
    const blob = { arrayBuffer: async () => new ArrayBuffer(10) };
    expect(await codeOf(() => model.run([blob]))).toBe(await codeOf(() => model.run([new Uint8Array(10)])));
  });
});

describe('classify', () => {
  it('gives answers for one photo and lists of answers for several', async () => {
    const model = await createModel({ program: checkedProgram(), backends: [reference] });
    const photos = [1, 2].map((seed) => ({ pixels: pixelsOf(seed) }));
    const several = await model.classify(photos, { topK: 2 });
    expect(several).toHaveLength(2);
    const [first] = photos;
    if (first === undefined) throw new Error('no photo');
    const one = await model.classify(first, { topK: 2 });
    expect(one).toEqual(several[0]);
    const logits = tinyLogits(first.pixels);
    const best = logits.indexOf(Math.max(...logits));
    expect(one[0]).toMatchObject({ index: best, logit: logits[best], label: ['cat', 'rocket', 'cup'][best] });
    expect(await model.classify([])).toEqual([]);
  });

  it('says unknown where the program does', async () => {
    const model = await createModel({
      program: checkedProgram({ unknownBelow: 65536, outputShift: 16 }),
      backends: [reference],
    });
    const answers = await model.classify({ pixels: pixelsOf(1) });
    expect(answers.map(({ index }) => index)[0]).toBe(-1);
    expect(answers[0]?.label).toBe('unknown');
    expect(answers).toHaveLength(4);
  });
});

describe('dispose', () => {
  it('ends the model, once', async () => {
    const model = await createModel({ program: tinyProgram(), backends: [reference] });
    await model.run([{ pixels: pixelsOf(1) }], { outputs: ['centered'] });
    await model.dispose();
    await model.dispose();
    const photo = { pixels: pixelsOf(1) };
    expect(await codeOf(() => model.run([photo]))).toBe('E_DISPOSED');
    expect(await codeOf(() => model.classify(photo))).toBe('E_DISPOSED');
    expect(await codeOf(() => model.prepare(photo))).toBe('E_DISPOSED');
  });
});
