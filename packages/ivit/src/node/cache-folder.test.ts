import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { defaultCacheFolder } from './cache-folder.js';

it('follows IVIT_CACHE, then the system', () => {
  expect(defaultCacheFolder({ IVIT_CACHE: '/a', XDG_CACHE_HOME: '/b' }, 'linux')).toBe('/a');
  expect(defaultCacheFolder({ IVIT_CACHE: '', XDG_CACHE_HOME: '/b' }, 'linux')).toBe(join('/b', 'ivit'));
  expect(defaultCacheFolder({}, 'linux')).toBe(join(homedir(), '.cache', 'ivit'));
  expect(defaultCacheFolder({ XDG_CACHE_HOME: '/b' }, 'darwin')).toBe(join(homedir(), 'Library', 'Caches', 'ivit'));
  expect(defaultCacheFolder({ LOCALAPPDATA: '/l' }, 'win32')).toBe(join('/l', 'ivit', 'Cache'));
});
