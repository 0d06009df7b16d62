import type { KnownRow, Row, RowFormat } from './row.js';

const isObject = (tree: unknown): tree is object => typeof tree === 'object' && tree !== null && !Array.isArray(tree);

function field(tree: unknown, name: string): unknown {
  return isObject(tree) && Object.hasOwn(tree, name) ? Reflect.get(tree, name) : undefined;
}

type KnownAnswer = NonNullable<KnownRow['labeled']>['answers'][number];

function toAnswer(tree: unknown): KnownAnswer | undefined {
  const [index, label, score] = [field(tree, 'index'), field(tree, 'label'), field(tree, 'score')];
  if (typeof index !== 'number' || typeof label !== 'string' || typeof score !== 'number') return undefined;
  return { index, label, score };
}

function toKnownRow(tree: unknown): KnownRow | undefined {
  const [file, size, modified] = [field(tree, 'file'), field(tree, 'size'), field(tree, 'modified')];
  if (typeof file !== 'string' || typeof size !== 'number' || typeof modified !== 'string') return undefined;
  if (isObject(field(tree, 'error'))) return { file, size, modified, labeled: undefined };
  const [spec, model] = [field(field(tree, 'receipt'), 'spec'), field(field(tree, 'receipt'), 'model')];
  const list = field(tree, 'answers');
  if (typeof spec !== 'string' || typeof model !== 'string' || !Array.isArray(list)) return undefined;
  const answers = list.map(toAnswer).filter((answer) => answer !== undefined);
  return answers.length === list.length ? { file, size, modified, labeled: { spec, model, answers } } : undefined;
}

/** One JSON object a line: `file`, `size`, `modified`, and `answers` with `receipt`, or `error`. */
export function jsonLines(): RowFormat {
  return {
    header: '',
    quotes: false,
    write: (row: Row) => `${JSON.stringify(row)}\n`,
    read(record) {
      try {
        return toKnownRow(JSON.parse(record));
      } catch {
        return undefined;
      }
    },
  };
}
