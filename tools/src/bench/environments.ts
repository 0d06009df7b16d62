import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { IvitError } from '@ivit/program';
import { performInBrowser } from './browser.js';
import type { Bundles } from './bundle.js';
import type { Task, TaskResult } from './measure.js';
import { installNode24, type Peers } from './peers.js';

/** Name of the Node that runs the bench; the ratios are its. */
export const RUNNING_NODE: string = `node${process.versions.node.split('.')[0]}`;

/** Where can be measured, in this order; the running Node is not measured twice. */
export const ENVIRONMENTS: readonly string[] = [...new Set([RUNNING_NODE, 'node24', 'chromium'])];

/** Performs a task in a process of its own, whose last line is the result. */
function performInNode(program: string, script: string, task: Task): Promise<TaskResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [script, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (piece: string) => {
      text += piece;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const line = text.trimEnd().split('\n').at(-1) ?? '';
      if (code === 0 && line.startsWith('{')) resolve(JSON.parse(line) as TaskResult);
      else reject(new IvitError('E_BENCH', `A measuring process ended with code ${code}`, { where: program }));
    });
  });
}

/** @throws IvitError E_PEERS, E_BROWSER, E_BENCH */
export async function performIn(
  environment: string,
  task: Task,
  cache: string,
  bundles: Bundles,
  peers: Peers,
): Promise<TaskResult> {
  if (environment === 'chromium') {
    return performInBrowser<TaskResult>(task, {
      scripts: bundles.browser,
      ort: peers.webFolder,
      ortModule: 'ort.wasm.min.mjs',
    });
  }
  const program = environment === RUNNING_NODE ? process.execPath : installNode24(cache);
  return performInNode(program, join(bundles.node, 'task.js'), task);
}
