import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder for things that can be had again: `IVIT_CACHE`, else `ivit` in the system's cache folder.
 */
export function defaultCacheFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
): string {
  const chosen = env['IVIT_CACHE'];
  if (chosen !== undefined && chosen !== '') return chosen;
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'ivit');
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'ivit', 'Cache');
  const base = env['XDG_CACHE_HOME'];
  return join(base !== undefined && base !== '' ? base : join(homedir(), '.cache'), 'ivit');
}
