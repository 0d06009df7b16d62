import { mkdir, open, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../test/code-of.js';
import { temporaryFolders } from '../../test/folder.js';
import { openOutput } from './output-file.js';

const folder = temporaryFolders();

describe('openOutput', () => {
  it('puts the whole file in place at commit and not before', async () => {
    const at = await folder();
    const path = join(at, 'model.safetensors');
    await writeFile(path, 'old');
    const output = await openOutput(path);
    expect(await readFile(path, 'utf8')).toBe('old');
    await output.commit(new TextEncoder().encode('new'));
    await output.discard();
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await readdir(at)).toEqual(['model.safetensors']);
  });

  it('leaves nothing when it is given up', async () => {
    const at = await folder();
    const output = await openOutput(join(at, 'model.safetensors'));
    expect(await readdir(at)).toHaveLength(1);
    await output.discard();
    await output.discard();
    expect(await readdir(at)).toEqual([]);
  });

  it('knows at once what cannot be written', async () => {
    const at = await folder();
    await writeFile(join(at, 'file'), '');
    await mkdir(join(at, 'folder'));
    for (const path of [join(at, 'none', 'a'), join(at, 'file', 'a'), join(at, 'folder'), '/dev/null']) {
      expect(await codeOf(() => openOutput(path)), path).toBe('E_OUTPUT');
    }
    expect((await readdir(at)).sort()).toEqual(['file', 'folder']);
    // It must not have been replaced by a file.
    expect((await stat('/dev/null')).isFile()).toBe(false);
  });

  it('says that the disk is full and leaves the old file and nothing else', async () => {
    const at = await folder();
    const path = join(at, 'model.safetensors');
    await writeFile(path, 'old');
    const output = await openOutput(path, {
      async open(part, flags) {
        const handle = await open(part, flags);
        let calls = 0;
        const write = handle.write.bind(handle);
        // The first call writes a few bytes, as a system does on an almost full disk.
        handle.write = ((buffer: Uint8Array, offset: number, length: number, position: number) => {
          calls += 1;
          if (calls > 1) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
          return write(buffer, offset, Math.min(length, 3), position);
        }) as typeof handle.write;
        return handle;
      },
    });
    await expect(output.commit(new Uint8Array(1000))).rejects.toThrow(/The disk is full \(.*model\.safetensors\)/);
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(at)).toEqual(['model.safetensors']);
  });

  it('writes what the system takes piece by piece', async () => {
    const at = await folder();
    const path = join(at, 'a');
    const output = await openOutput(path, {
      async open(part, flags) {
        const handle = await open(part, flags);
        const write = handle.write.bind(handle);
        handle.write = ((buffer: Uint8Array, offset: number, length: number, position: number) =>
          write(buffer, offset, Math.min(length, 7), position)) as typeof handle.write;
        return handle;
      },
    });
    const bytes = Uint8Array.from({ length: 100 }, (_, index) => index);
    await output.commit(bytes);
    expect(new Uint8Array(await readFile(path))).toEqual(bytes);
  });

  it('replaces a link to a file, not what a link to a folder points to', async () => {
    const at = await folder();
    await mkdir(join(at, 'folder'));
    await symlink(join(at, 'folder'), join(at, 'link'));
    expect(await codeOf(() => openOutput(join(at, 'link')))).toBe('E_OUTPUT');
  });
});
