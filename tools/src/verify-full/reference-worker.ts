/**
 * A process that runs the reference backend: argument = program file; takes one image's pixels per message, answers
 * with its logits, ends when the channel does.
 */
import { readFileSync } from 'node:fs';
import { createReferenceBackend } from '@ivit/backend-reference';
import { readProgram } from '@ivit/formats/program';
import { IvitError, validate } from '@ivit/program';

const [file] = process.argv.slice(2);
if (file === undefined || process.send === undefined) throw new IvitError('E_USAGE', 'this file is a worker process');
const program = validate(readProgram(readFileSync(file), { where: file }), { where: file });
const executable = await createReferenceBackend().compile(program);
process.on('message', async (pixels: Uint8Array) => {
  const output = (await executable.run(pixels, { batch: 1 }))[program.output];
  process.send?.(output?.data);
});
process.send(null);
