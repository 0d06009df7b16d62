import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { assertFinite, readSafetensors, toFloat32, writeSafetensors } from '@ivit/formats/safetensors';
import { describe, expect, it } from 'vitest';

/** Facts taken from the files by another reader (Python's json and struct): tensor sha256 over its bytes in the file. */
interface Facts {
  readonly path: string;
  readonly bytes: number;
  readonly tensors: number;
  readonly tensor: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly sha256: string;
  /** The reference writer keeps metadata in no order, so only files without, or with one entry, come out the same. */
  readonly rewritten: 'same' | 'metadata order';
}

const COMMITTED: readonly Facts[] = [
  {
    path: 'vectors/ivit/tiny_vit/state_dict.safetensors',
    bytes: 924592,
    tensors: 110,
    tensor: 'patch_embed.proj.weight',
    dtype: 'F32',
    shape: [64, 3, 8, 8],
    offset: 821916,
    sha256: '4089433a2f65d1bfb4756138ff14cbff3aae047de612c6feca69fb2ab6a7f264',
    rewritten: 'same',
  },
  {
    path: 'vectors/ivit/tiny_vit/vectors.safetensors',
    bytes: 879700,
    tensors: 109,
    tensor: 'logits_exact',
    dtype: 'F64',
    shape: [4, 10],
    offset: 9352,
    sha256: '4518f11427ee8b0edc1a3e4a8b17b89dd2ba5f4d4239774f4dc64275d3ac0a92',
    rewritten: 'same',
  },
];

const SHARED: readonly Facts[] = [
  {
    path: '../shared/models/cifar10_vit_small/model.safetensors',
    bytes: 2189632,
    tensors: 56,
    tensor: 'blocks.0.attn.proj.bias',
    dtype: 'F32',
    shape: [128],
    offset: 4888,
    sha256: 'e851b69c03e548c5a5c1840f2fbee573cf55a59a42635763e9e5338808ad92ba',
    rewritten: 'same',
  },
  {
    path: '../shared/models/deit_tiny_patch16_224/model.safetensors',
    bytes: 22883584,
    tensors: 152,
    tensor: 'head.weight',
    dtype: 'F32',
    shape: [1000, 192],
    offset: 21372160,
    sha256: '4cbf8450a72248a28ded92fa643af23a6a06dbe6448ea0157929d25964d59002',
    rewritten: 'metadata order',
  },
  {
    path: '../shared/models/deit_tiny_patch16_224_hf/model.safetensors',
    bytes: 11457392,
    tensors: 200,
    tensor: 'classifier.bias',
    dtype: 'F16',
    shape: [1000],
    offset: 22560,
    sha256: '6f2961e5c683b2834507011bfa717432473bd82694d95f4790a5b0a1b3f604f3',
    rewritten: 'same',
  },
];

const root = new URL('../../../', import.meta.url);

function check(facts: Facts): void {
  const bytes = readFileSync(fileURLToPath(new URL(facts.path, root)));
  const file = readSafetensors(bytes, { where: facts.path });
  expect(bytes.length).toBe(facts.bytes);
  expect(file.tensors.size).toBe(facts.tensors);
  const entry = file.tensors.get(facts.tensor);
  expect(entry).toMatchObject({ dtype: facts.dtype, shape: facts.shape, offset: facts.offset });
  expect(
    createHash('sha256')
      .update(entry?.bytes ?? '')
      .digest('hex'),
  ).toBe(facts.sha256);
  for (const tensor of file.tensors.values()) {
    if (/^B?F/.test(tensor.dtype)) assertFinite(toFloat32(tensor), tensor.name, facts.path);
  }
  const same = Buffer.from(writeSafetensors(file.tensors.values(), file.metadata)).equals(bytes);
  expect(same).toBe(facts.rewritten === 'same');
}

describe('files written by the reference implementation', () => {
  it.each(COMMITTED)('$path', check);

  if (existsSync(fileURLToPath(new URL('../shared', root)))) {
    it.each(SHARED)('$path', { timeout: 60_000 }, check);
  } else {
    console.log(`skipped: ${SHARED.length} files of ../shared, which is not here`);
    it.skip(`${SHARED.length} files of ../shared`, () => {});
  }
});
