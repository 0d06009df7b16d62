import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IvitError } from '@ivit/program';

/** The repository. */
export const ROOT: string = fileURLToPath(new URL('../../..', import.meta.url));

/** Large test material beside the repository; absent on machines that have only the project. */
export const SHARED: string = join(ROOT, '..', 'shared');

/** Everything that `pnpm bench` and `pnpm verify:full` can make again: peers, models, logits. */
export const CACHE: string = join(ROOT, 'node_modules', '.cache', 'ivit-bench');

export function hasShared(): boolean {
  return existsSync(SHARED);
}

/**
 * A path below `../shared`, which exists.
 * @throws IvitError E_SHARED: a partial `../shared` must not look like an absent one
 */
export function sharedPath(below: string): string {
  const path = join(SHARED, below);
  if (existsSync(path)) return path;
  throw new IvitError('E_SHARED', '../shared is there, but this part of it is not', {
    where: path,
    hint: 'Complete it, or take the whole folder away to skip what needs it.',
  });
}
