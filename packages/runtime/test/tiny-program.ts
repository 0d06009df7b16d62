import { createHash } from 'node:crypto';
import type { Backend } from '@ivit/backend';
import { createReferenceBackend } from '@ivit/backend-reference';
import { createProgramBuilder, littleEndianBytes, type Program, selfCheckPixels, validate } from '@ivit/program';

/** A whole model of three ops: 4×4 pixels, three classes; `centered` is another value worth asking for. */
export function tinyProgram(change: Partial<Program> = {}): Program {
  const b = createProgramBuilder('pixels', [4, 4, 3]);
  b.constant(
    'center',
    'i8',
    [256],
    Array.from({ length: 256 }, (_, value) => value - 128),
  );
  b.constant(
    'w',
    'i8',
    [3, 48],
    Array.from({ length: 144 }, (_, index) => ((index * 37) % 23) - 11),
  );
  b.constant('bias', 'i32', [3], [5, -7, 9]);
  b.add({ op: 'lookup', result: 'centered', x: { value: 'pixels' }, table: 'center' });
  b.add({ op: 'linear', result: 'head', x: b.reshape('centered', [48]), w: 'w', b: 'bias' });
  b.add({ op: 'requantize', result: 'classes', x: { value: 'head' }, m: 3, e: 1, z: 0, axis: 0, run: 0, to: 'i32' });
  const program = b.build({
    output: 'classes',
    outputShift: 12,
    labels: ['cat', 'rocket', 'cup'],
    image: { resize: 4, interpolation: 'bilinear', crop: { height: 4, width: 4 } },
  });
  return { ...program, ...change };
}

/** The logits, computed here by hand in plain integers. */
export function tinyLogits(pixels: Uint8Array): Int32Array {
  return Int32Array.from([5, -7, 9], (bias, n) => {
    let sum = BigInt(bias);
    for (const [k, pixel] of pixels.entries())
      sum += BigInt(((n * 48 + k) * 37) % 23) * BigInt(pixel - 128) - 11n * BigInt(pixel - 128);
    // rne(3·sum / 2)
    const product = 3n * sum;
    const floor = product >> 1n;
    return Number((product & 1n) === 1n && (floor & 1n) === 1n ? floor + 1n : floor);
  });
}

/** The tiny program with the self-check that it should pass. */
export function checkedProgram(change: Partial<Program> = {}): Program {
  const program = tinyProgram(change);
  const logits = littleEndianBytes(tinyLogits(selfCheckPixels(program, 7)));
  const sha256 = createHash('sha256').update(logits).digest('hex');
  return { ...program, selfCheck: { seed: 7, sha256 } };
}

/** What a broken driver does: the reference with the last bit of every logit flipped. Counts what it was asked. */
export function brokenBackend(name = 'broken'): Backend & { readonly disposed: () => number } {
  const reference = createReferenceBackend();
  let disposed = 0;
  return {
    ...reference,
    name,
    disposed: () => disposed,
    probe: (options) => reference.probe(options),
    async compile(program, options) {
      const executable = await reference.compile(program, options);
      return {
        info: executable.info,
        trace: (pixels) => executable.trace(pixels),
        async run(pixels, runOptions) {
          const outputs = await executable.run(pixels, runOptions);
          const logits = outputs[program.output];
          if (logits === undefined) throw new Error('no logits');
          return { ...outputs, [program.output]: { ...logits, data: logits.data.map((value) => value ^ 1) } };
        },
        async dispose() {
          disposed += 1;
          await executable.dispose();
        },
      };
    },
  };
}

/** The reference, with each call's batch noted. */
export function countingBackend(): Backend & { readonly batches: number[] } {
  const reference = createReferenceBackend();
  const batches: number[] = [];
  return {
    ...reference,
    name: 'counting',
    batches,
    probe: (options) => reference.probe(options),
    async compile(program, options) {
      const executable = await reference.compile(program, options);
      return {
        info: executable.info,
        trace: (pixels) => executable.trace(pixels),
        run(pixels, runOptions) {
          batches.push(runOptions.batch);
          return executable.run(pixels, runOptions);
        },
        dispose: () => executable.dispose(),
      };
    },
  };
}

/** Pixels of exactly the input's size, different for each seed. */
export function pixelsOf(seed: number): Uint8Array {
  return selfCheckPixels(validate(tinyProgram()), seed);
}
