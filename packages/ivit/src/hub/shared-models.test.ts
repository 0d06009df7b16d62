import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { readVit } from '@ivit/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf } from '../../test/code-of.js';
import { temporaryFolders } from '../../test/folder.js';
import { type HubServer, startHub } from '../../test/hub-server.js';
import { readModelFolder } from '../cli/model-folder.js';
import { loadModel } from '../index.js';

const SHARED = new URL('../../../../../shared/', import.meta.url);
const present = existsSync(SHARED);
const NAMES = ['cifar10_vit_small', 'deit_tiny_patch16_224', 'deit_tiny_patch16_224_hf'] as const;
const TESTS = NAMES.length + 1;
if (!present) console.log(`../shared is not there: ${TESTS} tests of real weights skipped`);

const modelFile = (name: string, file: string): URL => new URL(`models/${name}/${file}`, SHARED);

describe.skipIf(!present)('real weights through the hub', () => {
  const folder = temporaryFolders();
  let hub: HubServer;
  beforeAll(async () => {
    const repositories = NAMES.map((name) => {
      const optional = ['preprocessor_config.json'].filter((file) => existsSync(modelFile(name, file)));
      const files = ['model.safetensors', 'config.json', ...optional];
      const contents = files.map((file) => [file, new Uint8Array(readFileSync(modelFile(name, file)))] as const);
      return [`someone/${name}`, { files: new Map(contents) }] as const;
    });
    hub = await startHub(Object.fromEntries(repositories));
  });
  afterAll(() => hub?.close());

  it.each(NAMES)('%s arrives whole over a connection that is cut, and is read', async (name) => {
    hub.faults.cuts.push(100_000, 250_000);
    const options = { hub: { endpoint: hub.endpoint, cache: await folder(), backoff: 1 } };
    const fetched = await readModelFolder(`hf:someone/${name}`, options);
    const weights = await readFile(modelFile(name, 'model.safetensors'));
    expect(weights.equals(fetched.files.get('model.safetensors') ?? Buffer.alloc(0))).toBe(true);
    const ranges = hub.requests
      .splice(0)
      .filter((line) => line.startsWith('GET /store/'))
      .map((line) => line.split(' ')[2]);
    expect(ranges).toEqual([undefined, 'bytes=100000-', 'bytes=350000-']);
    const { config, labels } = readVit(fetched);
    expect(labels).toHaveLength(config.classes);
  });

  it('are no program', async () => {
    const options = { hub: { endpoint: hub.endpoint, cache: await folder(), backoff: 1 } };
    for (const name of NAMES) {
      expect(await codeOf(() => loadModel(`hf:someone/${name}`, options))).toBe('E_NEEDS_QUANTIZING');
    }
  });
});
