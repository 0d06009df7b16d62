import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { vitForward } from '@ivit/models';
import { describe, expect, it } from 'vitest';
import { seededPhotos, seededVit } from '../../determinism/seeded-vit.js';
import { peersFolder } from '../peers.js';
import { CACHE } from '../places.js';
import type { Ort } from '../subjects.js';
import { type ExportKind, exportVit } from './export-vit.js';
import { type Field, readFields } from './protobuf-reader.js';

interface Graph {
  readonly nodes: ReadonlyArray<{ op: string; inputs: string[]; outputs: string[] }>;
  readonly constants: ReadonlyArray<{ name: string; shape: number[]; type: number; bytes: number }>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const BYTES_PER_ELEMENT: Readonly<Record<number, number>> = { 1: 4, 3: 1, 7: 8, 10: 2 };

function bytesOf(fields: readonly Field[], number: number): Uint8Array[] {
  return fields.flatMap((field) => (field.number === number && field.value instanceof Uint8Array ? [field.value] : []));
}

function textsOf(fields: readonly Field[], number: number): string[] {
  return bytesOf(fields, number).map((bytes) => new TextDecoder().decode(bytes));
}

function integersOf(fields: readonly Field[], number: number): number[] {
  return fields.flatMap((field) => (field.number === number ? [Number(field.value)] : []));
}

function readGraph(file: Uint8Array): Graph {
  const graph = readFields(bytesOf(readFields(file), 7)[0] ?? new Uint8Array(0));
  const names = (number: number): string[] =>
    bytesOf(graph, number).flatMap((bytes) => textsOf(readFields(bytes), 1).slice(0, 1));
  return {
    nodes: bytesOf(graph, 1).map((bytes) => {
      const fields = readFields(bytes);
      return { op: textsOf(fields, 4)[0] ?? '', inputs: textsOf(fields, 1), outputs: textsOf(fields, 2) };
    }),
    constants: bytesOf(graph, 5).map((bytes) => {
      const fields = readFields(bytes);
      return {
        name: textsOf(fields, 8)[0] ?? '',
        shape: integersOf(fields, 1),
        type: integersOf(fields, 2)[0] ?? 0,
        bytes: bytesOf(fields, 9)[0]?.length ?? 0,
      };
    }),
    inputs: names(11),
    outputs: names(12),
  };
}

const weights = seededVit(20260);
const KINDS: readonly ExportKind[] = ['fp32', 'fp16', 'int8-dynamic'];

describe.each(KINDS)('exportVit %s', (kind) => {
  const graph = readGraph(exportVit(weights, kind, 2));

  it('is a graph in which every value is made once and before it is used', () => {
    const known = new Set([...graph.inputs, ...graph.constants.map(({ name }) => name)]);
    for (const { op, inputs, outputs } of graph.nodes) {
      for (const input of inputs) expect(known, `${op} reads ${input}`).toContain(input);
      for (const output of outputs) {
        expect(known, `${op} makes ${output}`).not.toContain(output);
        known.add(output);
      }
    }
    expect(graph.inputs).toEqual(['input']);
    expect(graph.outputs).toEqual(['logits']);
    expect(known).toContain('logits');
  });

  it('gives every constant as many bytes as its shape says', () => {
    for (const { name, shape, type, bytes } of graph.constants) {
      const count = shape.reduce((product, size) => product * size, 1);
      expect(bytes, name).toBe(count * (BYTES_PER_ELEMENT[type] ?? 0));
    }
  });

  it('has the products where they belong', () => {
    const count = (op: string): number => graph.nodes.filter((node) => node.op === op).length;
    // Two blocks of four linear layers and two attention products, and the head.
    expect(count('MatMul') + count('MatMulInteger')).toBe(2 * 6 + 1);
    expect(count('MatMulInteger')).toBe(kind === 'int8-dynamic' ? 2 * 4 + 1 : 0);
    expect(count('DynamicQuantizeLinear')).toBe(count('MatMulInteger'));
    expect(count('LayerNormalization')).toBe(5);
    expect(count('Softmax')).toBe(2);
    expect(count('Erf')).toBe(2);
    expect(count('Conv')).toBe(1);
  });
});

// The peers are installed by `pnpm bench` alone.
const peers = peersFolder(CACHE);
describe.skipIf(!existsSync(join(peers, 'node_modules', 'onnxruntime-node')))('exportVit on onnxruntime-node', () => {
  const { mean, std } = weights.preprocess;
  const { imageSize, classes } = weights.config;
  const photos = seededPhotos(8, 2, imageSize);
  const expected = photos.flatMap(({ pixels }) => Array.from(vitForward(weights, pixels)));
  const area = imageSize * imageSize;
  const input = new Float32Array(2 * 3 * area);
  photos.forEach(({ pixels }, image) => {
    pixels.forEach((value, at) => {
      const color = at % 3;
      const normal = (value / 255 - (mean[color] ?? 0)) / (std[color] ?? 1);
      input[(image * 3 + color) * area + Math.floor(at / 3)] = normal;
    });
  });

  // Floats of two engines: near, never equal. What int8 costs is not of interest here, only that it is the same model.
  it.each([
    ['fp32', 100],
    ['fp16', 45],
    ['int8-dynamic', 15],
  ] as const)('%s computes what the float model computes, within %d dB', async (kind, decibels) => {
    const ort: Ort = createRequire(join(peers, 'from.js'))('onnxruntime-node');
    const session = await ort.InferenceSession.create(exportVit(weights, kind, 2), { executionProviders: ['cpu'] });
    const outputs = await session.run({ input: new ort.Tensor('float32', input, [2, 3, imageSize, imageSize]) });
    const found = Array.from(outputs['logits']?.data ?? []);
    await session.release();
    expect(found).toHaveLength(2 * classes);
    const power = expected.reduce((sum, value) => sum + value * value, 0);
    const noise = expected.reduce((sum, value, index) => sum + (value - (found[index] ?? 0)) ** 2, 0);
    expect(10 * Math.log10(power / noise)).toBeGreaterThan(decibels);
  });
});
