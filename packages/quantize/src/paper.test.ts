import { createReferenceBackend } from '@ivit/backend-reference';
import { validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { quantizeVit } from './quantize-vit.js';
import { identityOf } from './testing/identity.js';
import { logitQuality } from './testing/quality.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';

const backend = createReferenceBackend();
const weights = randomVit(1);
const photos = randomPhotos(12, 16, 2);
const fresh = randomPhotos(24, 16, 77);

describe('paper@1', () => {
  it('validates, runs and reports, the same to the byte twice', async () => {
    const once = await quantizeVit({ weights, photos, backend, recipe: 'paper@1' });
    const twice = await quantizeVit({ weights, photos, backend, recipe: 'paper@1' });
    const program = validate(once.program);
    expect(program.facts.ops.shiftgelu).toBe(2);
    expect(program.provenance?.recipe).toBe('paper@1');
    expect(identityOf(twice.program)).toBe(identityOf(once.program));
    expect(once.report.edges).toHaveLength(2 + 2 * 11 + 2);
    for (const edge of once.report.edges) expect(edge.sqnr, edge.name).toBeGreaterThan(5);
    expect(await logitQuality(backend, weights, once.program, fresh)).toBeGreaterThan(10);
  });
});
