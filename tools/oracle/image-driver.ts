/**
 * Our side of check_images.py: reads jobs, one JSON object per line, and answers each on standard output with one JSON
 * line and then the bytes that the line announces.
 */
import { readFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { decodeImage, ImageError, type Interpolation, type PillowVersion, preprocess } from '@ivit/image';

interface Step {
  readonly resize: number;
  readonly crop: number;
  readonly interpolation: Interpolation;
}

interface Job {
  readonly path: string;
  readonly pillow: PillowVersion;
  readonly steps: readonly Step[];
}

function write(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      // A full pipe: the reader is slower.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}

function answer(head: object, parts: readonly Uint8Array[]): void {
  const line = JSON.stringify({ ...head, lengths: parts.map(({ length }) => length) });
  write(new TextEncoder().encode(`${line}\n`));
  for (const part of parts) write(part);
}

for await (const line of createInterface({ input: process.stdin })) {
  const job: Job = JSON.parse(line);
  try {
    const file = readFileSync(job.path);
    const started = performance.now();
    const image = await decodeImage(file, { where: job.path });
    const decoded = performance.now();
    const parts = job.steps.map(({ resize, crop, interpolation }) =>
      preprocess(image, { resize, interpolation, crop: { height: crop, width: crop }, pillow: job.pillow }),
    );
    const milliseconds = { decode: decoded - started, preprocess: performance.now() - decoded };
    answer({ width: image.width, height: image.height, milliseconds }, [image.data, ...parts]);
  } catch (error) {
    if (!ImageError.isInstance(error)) throw error;
    answer({ error: error.code, message: error.message }, []);
  }
}
