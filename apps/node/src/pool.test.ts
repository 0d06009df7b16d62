import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { LoadMessage } from './messages.js';
import { WorkerPool } from './pool.js';
import { temporaryFolders } from './testing.js';

const folder = temporaryFolders();
const load: LoadMessage = { type: 'load', model: 'builtin', threads: 1, topK: 1, maxPixels: undefined };

const script = fileURLToPath(new URL('testing-worker.mjs', import.meta.url));

async function pool(model: string, workers: number): Promise<{ pool: WorkerPool; at: string; told: string[] }> {
  const at = await folder();
  const told: string[] = [];
  return {
    pool: new WorkerPool({ script, workers, load: { ...load, model }, onSkipped: (message) => told.push(message) }),
    at,
    told,
  };
}

describe('a pool of workers', () => {
  it('replaces a worker that ends, and gives its photo to another, once', async () => {
    const { pool: one, at } = await pool('m', 2);
    expect(await one.start()).toMatchObject({ model: 'm' });
    const files = ['a', 'once', 'b', 'always', 'c', 'd'];
    const outcomes = await Promise.all(files.map((file) => one.label({ type: 'photo', path: join(at, 'died'), file })));
    const codes = outcomes.map((outcome) => (outcome !== undefined && 'error' in outcome ? outcome.error.code : ''));
    expect(codes).toEqual(['a', 'once', 'b', 'E_WORKER', 'c', 'd']);
    expect(outcomes[3]).toMatchObject({ error: { message: '2 processes ended on this photo (SIGKILL)' } });
    one.close();
  });

  it('tells once which backends do not run, and why', async () => {
    const { pool: one, told } = await pool('m', 2);
    await one.start();
    one.close();
    expect(told).toEqual(['runs on slow, as fast does not: E_SELF_CHECK, wrong']);
  });

  it('gives up what has not begun', async () => {
    const { pool: one, at } = await pool('m', 1);
    await one.start();
    const photos = ['a', 'b', 'c', 'd'].map((file) => one.label({ type: 'photo', path: at, file }));
    one.giveUpWaiting();
    expect(await Promise.all(photos)).toMatchObject([
      { error: { code: 'a' } },
      { error: { code: 'b' } },
      undefined,
      undefined,
    ]);
    one.close();
  });

  it('fails where the model is refused, or no worker gets that far', async () => {
    await expect((await pool('wrong', 2)).pool.start()).rejects.toMatchObject({ code: 'E_PROGRAM' });
    const { pool: deadly } = await pool('deadly', 2);
    await expect(deadly.start()).rejects.toMatchObject({
      code: 'E_WORKER',
      message: expect.stringContaining('status 7'),
    });
    await expect(deadly.label({ type: 'photo', path: 'p', file: 'p' })).rejects.toMatchObject({ code: 'E_WORKER' });
  });
});
