import { describe, expect, it } from 'vitest';
import { namedFiles, resultName } from './quantize.js';

const file = (name: string): File => new File(['{}'], name);
const names = (files: readonly { readonly name: string }[]): string[] => files.map(({ name }) => name);

describe('the files of a checkpoint', () => {
  it('keeps the names that readers know', () => {
    const files = ['model.safetensors', 'config.json', 'other.json'].map(file);
    expect(namedFiles(files)).toBe(files);
    const shards = ['model.safetensors.index.json', 'preprocessor_config.json', 'a.safetensors'].map(file);
    expect(namedFiles(shards)).toBe(shards);
  });

  it('takes the only other JSON for the configuration, with its bytes', async () => {
    const found = namedFiles([file('deit.pth'), new File(['{"a":1}'], 'deit.json')]);
    expect(names(found)).toEqual(['deit.pth', 'config.json']);
    expect(new TextDecoder().decode(await found[1]?.arrayBuffer())).toBe('{"a":1}');
    expect(names(namedFiles([file('a.json'), file('b.json')]))).toEqual(['a.json', 'b.json']);
  });

  it('names the result after the weights and the recipe', () => {
    expect(resultName([file('config.json'), file('deit.pth.tar')], 'ptq@1')).toBe('deit.ptq-1.ivit.safetensors');
    expect(resultName([], 'paper@1')).toBe('model.paper-1.ivit.safetensors');
  });
});
