import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { IvitError } from '@ivit/program';
import type { BackendName } from './backend.js';
import type { Peers } from './peers.js';
import { summarize } from './statistics.js';

/** One way from nothing to a label: wall time of a fresh process until it prints, and its peak memory. */
export interface ColdRow {
  readonly variant: string;
  readonly min: number;
  readonly median: number;
  /** Milliseconds. */
  readonly runs: readonly number[];
  /** Median of the peak resident memory, bytes; that of a blank Node is in it. */
  readonly peak: number;
  /** The same without a blank Node's. */
  readonly peakAboveNode: number;
  readonly label: string;
}

interface ColdRun {
  readonly milliseconds: number;
  readonly peak: number;
  readonly label: string;
}

function start(program: string, args: readonly string[]): Promise<ColdRun> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    let milliseconds: number | undefined;
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (piece: string) => {
      text += piece;
      if (/^label .*\n/m.test(text)) milliseconds ??= performance.now() - started;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const [, label] = /^label (.*)$/m.exec(text) ?? [];
      const [, peak] = /^peak (\d+)$/m.exec(text) ?? [];
      if (code === 0 && milliseconds !== undefined && peak !== undefined && label !== undefined) {
        resolve({ milliseconds, peak: Number(peak), label });
      } else reject(new IvitError('E_BENCH', `A cold start ended with code ${code}`, { where: args.join(' ') }));
    });
  });
}

export interface ColdTask {
  readonly bundles: string;
  readonly backend: BackendName;
  readonly program: string;
  readonly onnx: string;
  readonly photo: string;
  readonly peers: Peers;
  readonly rounds: number;
}

/** Cold starts of ours, the peers and a blank Node in turns, each time a new process of the running Node. */
export async function coldStarts(task: ColdTask): Promise<ColdRow[]> {
  const { bundles, backend, program, onnx, photo, peers, rounds } = task;
  const blank = "const { readFileSync } = require('node:fs'); console.log('label none');";
  const peak = "console.log('peak ' + 1024 * Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status'))?.[1]))";
  const portable = "console.log('peak ' + 1024 * process.resourceUsage().maxRSS)";
  const commands = new Map<string, readonly string[]>([
    ['blank Node', ['-e', `${blank}${process.platform === 'linux' ? peak : portable}`]],
    ['ivit', [join(bundles, 'cold-ivit.js'), program, photo, backend]],
    ['ort-web int8 dynamic', [join(bundles, 'cold-ort.js'), peers.web, 'wasm', onnx, photo]],
    ['ort-node int8 dynamic', [join(bundles, 'cold-ort.js'), peers.node, 'cpu', onnx, photo]],
  ]);
  const runs = new Map<string, ColdRun[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [variant, args] of commands) {
      const run = await start(process.execPath, args);
      runs.set(variant, [...(runs.get(variant) ?? []), run]);
    }
  }
  const peakOf = (variant: string): number => summarize((runs.get(variant) ?? []).map((run) => run.peak)).median;
  return Array.from(runs, ([variant, all]) => {
    const milliseconds = all.map((run) => run.milliseconds);
    return {
      variant,
      ...summarize(milliseconds),
      runs: milliseconds,
      peak: peakOf(variant),
      peakAboveNode: peakOf(variant) - peakOf('blank Node'),
      label: all[0]?.label ?? '',
    };
  });
}
