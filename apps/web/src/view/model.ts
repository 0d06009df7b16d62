import type { ValidatedProgram } from '@ivit/program';
import type { ModelFile } from '../engine.js';
import { bytes, large } from '../format.js';
import { element, make } from './elements.js';

export const BUILTIN: ModelFile = { name: 'Built in: CIFAR-10, ten classes', source: 'builtin' };

export interface ModelView {
  /** Adds a file to the list, or takes its place, and chooses it. */
  add(file: ModelFile): void;
  choose(file: ModelFile): void;
  facts(program: ValidatedProgram, file: ModelFile): void;
}

export function createModelView(onChoose: (file: ModelFile) => void, onFile: (file: File) => void): ModelView {
  const select = element('model', HTMLSelectElement);
  const input = element('model-file', HTMLInputElement);
  const facts = element('model-facts', HTMLParagraphElement);
  const files: ModelFile[] = [];

  const add = (file: ModelFile): void => {
    const known = files.findIndex(({ name }) => name === file.name);
    const index = known === -1 ? files.length : known;
    files[index] = file;
    if (known === -1) select.append(make('option', { value: String(index) }, file.name));
    select.value = String(index);
  };
  select.addEventListener('change', () => {
    const file = files[Number(select.value)];
    if (file !== undefined) onChoose(file);
  });
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    if (file !== undefined) onFile(file);
    input.value = '';
  });
  add(BUILTIN);
  return {
    add,
    choose(file) {
      select.value = String(files.indexOf(file));
    },
    facts(program, { source }) {
      const classes = program.values[program.output]?.shape.at(-1) ?? 0;
      facts.textContent = [
        `${classes} classes`,
        `${large(program.facts.macs)} multiply-accumulates`,
        program.provenance?.recipe ?? 'no recipe',
        ...(source === 'builtin' ? [] : [bytes(source.size)]),
      ].join(' · ');
    },
  };
}
