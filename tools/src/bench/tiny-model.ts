import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { IvitError } from '@ivit/program';
import { ROOT, sharedPath } from './places.js';

/**
 * DeiT-Tiny quantized by `ivit quantize` (`ptq@1`, 32 photos): the file whose accuracy is reported. Made once and kept
 * in the cache folder; takes a few minutes of processor time.
 *
 * @throws IvitError E_SHARED (weights or photos missing), E_MODEL (quantizing failed)
 */
export function makeTinyModel(cache: string): string {
  const file = join(cache, 'models', 'deit-tiny.ptq1.safetensors');
  if (existsSync(file)) return file;
  mkdirSync(join(cache, 'models'), { recursive: true });
  const weights = sharedPath('models/deit_tiny_patch16_224');
  const photos = sharedPath('images/imagenet');
  console.error(`quantizing ${weights}: once, a few minutes`);
  const command = [join(ROOT, 'packages/ivit/src/cli.ts'), 'quantize', weights, '--calibrate', photos, '-o', file];
  const { status, error } = spawnSync(
    process.execPath,
    ['--conditions=@ivit/source', '--import', 'tsx', ...command, '--recipe', 'ptq@1', '--count', '32'],
    // What the command prints is progress here: stdout belongs to the caller's report.
    { cwd: ROOT, stdio: ['ignore', 2, 2] },
  );
  if (status === 0 && existsSync(file)) return file;
  throw new IvitError('E_MODEL', `ivit quantize ended with ${error?.message ?? `code ${status}`}`, { where: file });
}
