import { parseArgs } from 'node:util';

export const USAGE =
  'usage: pnpm webgpu [node] [chromium] [--part tests|doctor|kit|golden]… [--path packed|plain]… [--golden MODEL]… [--batch N]… [--whole]';

const PLACES = ['node', 'chromium'] as const;
const PARTS = ['tests', 'doctor', 'kit', 'golden'] as const;
const PATHS = ['packed', 'plain'] as const;

export type Part = (typeof PARTS)[number];

export interface Arguments {
  readonly places: readonly (typeof PLACES)[number][];
  readonly parts: readonly Part[];
  /** With `dot4I8Packed`, without, or both. */
  readonly packed: readonly boolean[];
  /** Golden models by name; undefined: those that CI runs. */
  readonly golden: readonly string[] | undefined;
  /** Images at once, for golden models. */
  readonly batches: readonly number[];
  /** The whole conformance suite without `dot4I8Packed`, too. */
  readonly whole: boolean;
}

/** The named ones, or all where none is. */
function chosen<T extends string>(all: readonly T[], named: readonly string[]): readonly T[] {
  const wrong = named.find((name) => !all.some((own) => own === name));
  if (wrong !== undefined) throw new RangeError(`'${wrong}' is none of ${all.join(', ')}`);
  return named.length === 0 ? all : all.filter((own) => named.includes(own));
}

/** @throws RangeError; TypeError of `parseArgs` for unknown options */
export function readArguments(argv: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: argv.filter((argument) => argument !== '--'),
    allowPositionals: true,
    options: {
      part: { type: 'string', multiple: true, default: [] },
      path: { type: 'string', multiple: true, default: [] },
      golden: { type: 'string', multiple: true },
      batch: { type: 'string', multiple: true, default: ['1', '4'] },
      whole: { type: 'boolean', default: false },
    },
  });
  const batches = values.batch.map(Number);
  if (batches.some((batch) => !Number.isInteger(batch) || batch < 1)) throw new RangeError('--batch takes numbers');
  return {
    places: chosen(PLACES, positionals),
    parts: chosen(PARTS, values.part),
    packed: chosen(PATHS, values.path).map((path) => path === 'packed'),
    golden: values.golden,
    batches,
    whole: values.whole,
  };
}
