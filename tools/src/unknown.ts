/**
 * `pnpm unknown FILE --validation DIR [--lost 0.02] [--test DIR] [--other DIR --known JSON [--half tune|report]] [--json]`
 *
 * Chooses the score below which an answer is `unknown`: the largest k (of 65536) that loses at most the given share of
 * the right answers on the validation photos. The test photos and the photos of other things are only measured. The class of a
 * photo is the part of its name before the first `_`; `--known` lists what counts as no other thing (tools/train/other_things.json).
 * Exit code 0, 1 (failed) or 2 (usage).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createReferenceBackend } from '@ivit/backend-reference';
import { readProgram } from '@ivit/formats/program';
import { IvitError, type Program } from '@ivit/program';
import { createModel, type Model } from '@ivit/runtime';
import { collectPhotos, type Half, type Photo } from './accuracy/photos.js';

const USAGE =
  'usage: pnpm unknown FILE --validation DIR [--lost SHARE] [--test DIR] [--other DIR --known JSON [--half tune|report]] [--json]';

/** The best answer of a photo. */
interface Best {
  readonly right: boolean;
  /** 0 … 65536 */
  readonly k: number;
}

interface Share {
  readonly value: number;
  readonly error: number;
  readonly of: number;
}

function share(hits: number, of: number): Share {
  const value = hits / of;
  return { value, error: Math.sqrt((value * (1 - value)) / of), of };
}

async function bestAnswers(model: Model, photos: readonly Photo[], what: string): Promise<Best[]> {
  const answers: Best[] = [];
  for (const [index, photo] of photos.entries()) {
    const [best] = await model.classify(readFileSync(photo.path), { topK: 1 });
    if (best !== undefined) answers.push({ right: best.index === photo.label, k: Math.round(best.score * 65536) });
    if (index % 250 === 249) process.stderr.write(`${what}: ${index + 1} of ${photos.length}\n`);
  }
  return answers;
}

/** The largest k for which at most `lost` of the right answers score below it. */
function threshold(answers: readonly Best[], lost: number): number {
  const right = answers.filter((answer) => answer.right).map((answer) => answer.k);
  right.sort((a, b) => a - b);
  return right[Math.floor(lost * right.length)] ?? 0;
}

function lostAt(answers: readonly Best[], k: number): Share {
  const right = answers.filter((answer) => answer.right);
  return share(right.filter((answer) => answer.k < k).length, right.length);
}

/** Every name that `--known` holds, at any depth. */
function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, below]) => [name, ...namesIn(below)]);
}

/** Photos of other things: those whose class is not among the known ones. */
function otherPhotos(folder: string, known: ReadonlySet<string>, half: Half | undefined): readonly Photo[] {
  const names = readdirSync(folder).map((name) => name.split('_')[0] as string);
  const classes = new Map(names.map((name) => [name, known.has(name) ? 0 : -1]));
  return collectPhotos(folder, classes, [], half).photos.filter((photo) => photo.label === -1);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      validation: { type: 'string' },
      lost: { type: 'string', default: '0.02' },
      test: { type: 'string' },
      other: { type: 'string' },
      known: { type: 'string' },
      half: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [file] = positionals;
  const { validation, test, other, known, half } = values;
  const lost = Number(values.lost);
  const halfKnown = half === undefined || half === 'tune' || half === 'report';
  const paired = (other === undefined) === (known === undefined);
  if (file === undefined || validation === undefined || !(lost >= 0 && lost < 1) || !halfKnown || !paired) {
    throw new IvitError('E_USAGE', USAGE);
  }
  const { unknownBelow: _, ...program }: Program = readProgram(readFileSync(file), { where: file });
  const classes = new Map((program.labels ?? []).map((label, index) => [label, index]));
  const model = await createModel({ program, backends: [createReferenceBackend()] });
  const chosen = await bestAnswers(model, collectPhotos(validation, classes, [], undefined).photos, 'validation');
  const k = threshold(chosen, lost);
  const report: Record<string, unknown> = {
    model: model.info.model,
    unknownBelow: k,
    validationLost: lostAt(chosen, k),
  };
  if (test !== undefined) {
    const answers = await bestAnswers(model, collectPhotos(test, classes, [], undefined).photos, 'test');
    const right = answers.filter((answer) => answer.right).length;
    const wrong = answers.filter((answer) => !answer.right);
    report['testTop1'] = share(right, answers.length);
    report['testLost'] = lostAt(answers, k);
    report['testWrongUnknown'] = share(wrong.filter((answer) => answer.k < k).length, wrong.length);
  }
  if (other !== undefined && known !== undefined) {
    const names = new Set(namesIn(JSON.parse(readFileSync(known, 'utf8'))));
    const answers = await bestAnswers(model, otherPhotos(other, names, half as Half | undefined), 'other');
    report['otherUnknown'] = share(answers.filter((answer) => answer.k < k).length, answers.length);
  }
  await model.dispose();
  console.log(JSON.stringify(report, null, values.json ? 0 : 2));
}

main().catch((error: unknown) => {
  const usage = (IvitError.isInstance(error) && error.code === 'E_USAGE') || error instanceof TypeError;
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = usage ? 2 : 1;
});
