import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Program } from '@ivit/program';
import { createProgramBuilder } from '@ivit/program';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLogitsCache } from './logits-cache.js';

function program(classes: number): Program {
  const builder = createProgramBuilder('pixels', [1, 1, 3]);
  const table = builder.constant('table', 'i8', [256], new Int8Array(256));
  builder.add({ op: 'lookup', result: 'codes', x: { value: 'pixels' }, table });
  const w = builder.constant('w', 'i8', [classes, 3], new Int8Array(classes * 3));
  builder.add({ op: 'linear', result: 'logits', x: builder.reshape('codes', [3]), w });
  return builder.build({ output: 'logits', outputShift: 0 });
}

describe('openLogitsCache', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ivit-logits-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('gives back what was put, also to the next one who opens it', () => {
    const logits = Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, -1);
    const cache = openLogitsCache(folder, program(4), 'model');
    expect(cache.get('photo')).toBeUndefined();
    cache.put('photo', logits);
    expect(openLogitsCache(folder, program(4), 'model').get('photo')).toEqual(logits);
    expect(readdirSync(cache.folder)).toEqual(['photo']);
  });

  it('knows nothing of another model', () => {
    openLogitsCache(folder, program(4), 'model').put('photo', new Int32Array(4));
    expect(openLogitsCache(folder, program(4), 'other').get('photo')).toBeUndefined();
  });

  it('takes a file of another length for none', () => {
    const cache = openLogitsCache(folder, program(4), 'model');
    writeFileSync(join(cache.folder, 'photo'), new Uint8Array(12));
    expect(cache.get('photo')).toBeUndefined();
  });
});
