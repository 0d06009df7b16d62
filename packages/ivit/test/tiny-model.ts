import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createReferenceBackend } from '@ivit/backend-reference';
import { writeProgram } from '@ivit/formats/program';
import { createProgramBuilder, type Program } from '@ivit/program';
import { withSelfCheck } from '@ivit/runtime';

/**
 * A whole model of three ops on 8×8 pixels: mean brightness of the left, the right and the upper half, as three
 * classes.
 */
export async function tinyModel(change: Partial<Program> = {}): Promise<{ program: Program; bytes: Uint8Array }> {
  const b = createProgramBuilder('pixels', [8, 8, 3]);
  b.constant(
    'center',
    'i8',
    [256],
    Array.from({ length: 256 }, (_, value) => value - 128),
  );
  const inside = [
    (_row: number, column: number) => column < 4,
    (_row: number, column: number) => column >= 4,
    (row: number) => row < 4,
  ];
  const w = inside.flatMap((has) =>
    Array.from({ length: 192 }, (_, k) => (has(Math.floor(k / 24), Math.floor(k / 3) % 8) ? 1 : 0)),
  );
  b.constant('w', 'i8', [3, 192], w);
  b.add({ op: 'lookup', result: 'centered', x: { value: 'pixels' }, table: 'center' });
  b.add({ op: 'linear', result: 'sums', x: b.reshape('centered', [192]), w: 'w' });
  b.add({ op: 'requantize', result: 'logits', x: { value: 'sums' }, m: 1, e: 2, z: 0, axis: 0, run: 0, to: 'i32' });
  const program = await withSelfCheck(
    {
      ...b.build({
        output: 'logits',
        outputShift: 8,
        labels: ['left', 'right', 'upper'],
        image: { resize: 8, interpolation: 'bilinear', crop: { height: 8, width: 8 } },
        provenance: { recipe: 'by hand', licence: 'CC0-1.0' },
      }),
      ...change,
    },
    createReferenceBackend(),
  );
  return { program, bytes: writeProgram(program) };
}

/** Writes the file of the tiny model into a folder and returns its path. */
export async function writeTinyModel(at: string): Promise<string> {
  const path = join(at, 'tiny.safetensors');
  await writeFile(path, (await tinyModel()).bytes);
  return path;
}
