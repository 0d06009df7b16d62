import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readProgram } from '@ivit/formats/program';
import { modelId, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { file, metadata } from './index.js';

describe('the built-in model', () => {
  const bytes = readFileSync(file);
  const program = validate(readProgram(bytes, { where: 'model.safetensors' }));

  it('is the file that the metadata says', () => {
    expect(metadata).toEqual({
      sha256: createHash('sha256').update(bytes).digest('hex'),
      model: modelId(program),
      bytes: bytes.length,
      labels: program.labels,
    });
  });

  it('is at most 2 MB and carries what the front door needs', () => {
    expect(bytes.length).toBeLessThanOrEqual(2_000_000);
    expect(program.labels).toEqual([
      'airplane',
      'automobile',
      'bird',
      'cat',
      'deer',
      'dog',
      'frog',
      'horse',
      'ship',
      'truck',
    ]);
    expect(program.image?.crop).toEqual({ height: 32, width: 32 });
    expect(program.selfCheck?.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(program.unknownBelow).toBeGreaterThan(0);
    expect(program.provenance?.recipe).toBe('ptq@1');
    expect(program.provenance?.calibration?.length).toBeGreaterThan(0);
  });
});
