import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { IvitError } from '@ivit/program';

const WORKER = fileURLToPath(new URL('./reference-worker.ts', import.meta.url));

/**
 * The reference backend's logits of images, from several processes: the interpreter uses one core each.
 *
 * @param onLogits called once per image, in no particular order
 */
export async function referenceLogits(
  file: string,
  images: readonly Uint8Array[],
  processes: number,
  onLogits: (image: number, logits: Int32Array) => void,
): Promise<void> {
  const children: ChildProcess[] = [];
  let next = 0;
  const runOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(WORKER, [file], {
        serialization: 'advanced',
        execArgv: ['--conditions=@ivit/source', '--import', 'tsx'],
      });
      children.push(child);
      let current = -1;
      child.on('error', reject);
      child.on('exit', (code) => {
        if (code === 0) resolve();
        else reject(new IvitError('E_WORKER', `A process of the reference backend ended with code ${code}`));
      });
      child.on('message', (answer: unknown) => {
        try {
          if (answer instanceof Int32Array) onLogits(current, answer);
          const image = images[next];
          if (image === undefined) {
            child.disconnect();
            return;
          }
          current = next;
          next += 1;
          child.send(image);
        } catch (error) {
          reject(error);
        }
      });
    });
  try {
    await Promise.all(Array.from({ length: Math.min(processes, images.length) }, runOne));
  } finally {
    // Those that ended are not there any more; after a failure the others must not go on.
    for (const child of children) child.kill();
  }
}
