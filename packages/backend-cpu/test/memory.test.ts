/** Memory of a process that runs, or compiles and disposes of, one program many times. */
import { describe, expect, it } from 'vitest';
import { runChild } from './support/children.js';

interface Usage {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

interface Report {
  readonly before: Usage;
  readonly after: Usage;
  readonly warnings: number;
}

async function growth(what: string, threads: number, mode = ''): Promise<Usage & { readonly warnings: number }> {
  const { code, stdout, stderr } = await runChild('memory.ts', [what, String(threads), mode], 120_000);
  expect(`${code} ${stderr}`).toBe('0 ');
  const { before, after, warnings } = JSON.parse(stdout) as Report;
  return {
    rss: after.rss - before.rss,
    heapUsed: after.heapUsed - before.heapUsed,
    external: after.external - before.external,
    arrayBuffers: after.arrayBuffers - before.arrayBuffers,
    warnings,
  };
}

const MIB = 1 << 20;
const SLOW = { timeout: 120_000 };

/** Each run returns 128 KiB: a thousand of them kept are 125 MiB. */
describe('1000 runs', () => {
  it.each([1, 2])('leave memory as it was, on %i thread(s)', SLOW, async (threads) => {
    const { rss, heapUsed, external, arrayBuffers, warnings } = await growth('runs', threads);
    expect(rss / MIB).toBeLessThan(60);
    expect(heapUsed / MIB).toBeLessThan(1);
    expect(external / MIB).toBeLessThan(8);
    expect(arrayBuffers / MIB).toBeLessThan(1);
    // Node warns of listeners that pile up on the signal.
    expect(warnings).toBe(0);
  });

  it('would be seen to leak if outputs were kept', SLOW, async () => {
    const { rss, external, arrayBuffers } = await growth('runs', 1, 'leak');
    expect(rss / MIB).toBeGreaterThan(60);
    expect(external / MIB).toBeGreaterThan(8);
    expect(arrayBuffers / MIB).toBeGreaterThan(1);
  });
});

/** Each executable has 2 MiB: two hundred of them kept are 400 MiB. */
describe('200 times compile, run and dispose', () => {
  it.each([1, 2])('leave memory as it was, on %i thread(s)', SLOW, async (threads) => {
    const { rss, heapUsed, external } = await growth('compiles', threads);
    expect(rss / MIB).toBeLessThan(150);
    expect(heapUsed / MIB).toBeLessThan(1);
    expect(external / MIB).toBeLessThan(30);
  });

  it.each([1, 2])('leave memory as it was beside one that lives on, on %i thread(s)', SLOW, async (threads) => {
    const { rss, heapUsed, external } = await growth('compiles', threads, 'beside');
    expect(rss / MIB).toBeLessThan(150);
    expect(heapUsed / MIB).toBeLessThan(1);
    expect(external / MIB).toBeLessThan(30);
  });

  it('would be seen to leak if executables were kept', SLOW, async () => {
    expect((await growth('compiles', 1, 'leak')).rss / MIB).toBeGreaterThan(150);
    expect((await growth('compiles', 2, 'leak')).rss / MIB).toBeGreaterThan(150);
  });
});
