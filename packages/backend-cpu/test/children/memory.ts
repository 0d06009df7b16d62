/**
 * `memory runs|compiles THREADS [leak|beside]`: does one thing many times and prints what memory the process has before and
 * after, as JSON. With `leak` it keeps what it should let go, so that a test can see whether it would notice; with `beside`
 * another executable of the same backend lives all the time.
 */
import { createCpuBackend } from '@ivit/backend-cpu';
import { bytes, denseProgram } from '../support/programs.js';

const [what, count, mode] = process.argv.slice(2);
const threads = Number(count);
const kept: unknown[] = [];

function collect(): void {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc');
  globalThis.gc();
}

async function memory(): Promise<Record<string, number>> {
  for (let round = 0; round < 5; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { rss, heapUsed, external, arrayBuffers };
}

async function runs(): Promise<(times: number) => Promise<void>> {
  const program = denseProgram(128, 64, 256);
  const executable = await createCpuBackend({ threads }).compile(program);
  const pixels = bytes(128 * 64, 1);
  // One signal for all runs: what listens to it must stop listening.
  const { signal } = new AbortController();
  return async (times) => {
    for (let run = 0; run < times; run++) {
      const outputs = await executable.run(pixels, { batch: 1, signal });
      if (mode === 'leak') kept.push(outputs);
    }
  };
}

async function compiles(): Promise<(times: number) => Promise<void>> {
  const program = denseProgram(4, 1024, 1024);
  const backend = createCpuBackend({ threads });
  const pixels = bytes(4 * 1024, 1);
  if (mode === 'beside') kept.push(await backend.compile(program));
  return async (times) => {
    for (let compile = 0; compile < times; compile++) {
      const executable = await backend.compile(program);
      await executable.run(pixels, { batch: 1 });
      if (mode === 'leak') kept.push(executable);
      else await executable.dispose();
    }
  };
}

let warnings = 0;
process.on('warning', () => {
  warnings += 1;
});
const [repeat, warm, times] = what === 'runs' ? [await runs(), 300, 1000] : [await compiles(), 20, 200];
await repeat(warm);
const before = await memory();
await repeat(times);
const after = await memory();
console.log(JSON.stringify({ before, after, warnings, kept: kept.length }));
process.exitCode = 0;
