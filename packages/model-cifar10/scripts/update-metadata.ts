/**
 * Writes src/metadata.ts from model.safetensors. From the root:
 * `node --conditions=@ivit/source --import tsx packages/model-cifar10/scripts/update-metadata.ts`
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { readProgram } from '@ivit/formats/program';
import { modelId, validate } from '@ivit/program';

const bytes = readFileSync(new URL('../model.safetensors', import.meta.url));
const program = validate(readProgram(bytes, { where: 'model.safetensors' }));
const labels = (program.labels ?? []).map((label) => `    '${label}',\n`).join('');

writeFileSync(
  new URL('../src/metadata.ts', import.meta.url),
  `// Written by scripts/update-metadata.ts from model.safetensors: do not edit.

export const MODEL = {
  sha256: '${createHash('sha256').update(bytes).digest('hex')}',
  model: '${modelId(program)}',
  bytes: ${bytes.length},
  labels: [
${labels}  ],
};
`,
);
