import { BACKENDS, type BackendChoice } from '../backends.js';
import { milliseconds } from '../format.js';
import type { Problem } from '../problem.js';
import { element, make } from './elements.js';

export interface BackendRow {
  readonly choice: BackendChoice;
  readonly wanted: () => boolean;
  want(wanted: boolean): void;
  /** Whether it was unticked by `want`; its state says why. */
  readonly leftOut: () => boolean;
  /** Whether it was ticked by hand for this model. */
  readonly insists: () => boolean;
  /** Another model: how it was ticked for the last one says nothing any more. */
  renew(): void;
  /** Nothing goes on any more. */
  settle(): void;
  /** `title` is what a pointer resting there shows. */
  state(text: string, kind?: 'busy' | 'equal' | 'different' | 'unavailable', title?: string): void;
  how(text: string | undefined): void;
  times(load: number | undefined, run?: number, rounds?: number): void;
}

/** What is not there, in two lines: code and reason. */
export function unavailable(row: BackendRow, problem: Problem): void {
  row.state(`Not available here: ${problem.code}. ${problem.what}`, 'unavailable', problem.advice);
}

/** One row per backend: tick, name, how it runs, times, receipt. */
export function createBackendsView(onChange: () => void): readonly BackendRow[] {
  const list = element('backends', HTMLUListElement);
  return BACKENDS.map((choice, index) => {
    const item = list.children.item(index);
    if (item === null) throw new RangeError('index.html has too few rows of backends');
    const tick = make('input', { type: 'checkbox', id: `backend-${choice.name}` });
    tick.checked = true;
    let insists = false;
    let leftOut = false;
    tick.addEventListener('change', () => {
      insists = tick.checked;
      leftOut = false;
      onChange();
    });
    const how = make('span', { class: 'how' }, choice.what);
    const load = make('dd', {}, '–');
    const run = make('dd', {}, '–');
    const runName = make('dt', {}, 'run');
    const state = make('p', { class: 'state' }, '\u00a0');
    item.append(
      make('label', { class: 'check', for: tick.id }, tick, make('span', { class: 'name' }, choice.title)),
      how,
      make('dl', { class: 'times' }, make('div', {}, make('dt', {}, 'load'), load), make('div', {}, runName, run)),
      state,
    );
    return {
      choice,
      wanted: () => tick.checked,
      want(wanted) {
        leftOut = !wanted;
        tick.checked = wanted;
      },
      leftOut: () => leftOut,
      insists: () => insists,
      renew() {
        insists = false;
        if (leftOut) tick.checked = true;
        leftOut = false;
        how.textContent = choice.what;
      },
      settle() {
        if (state.classList.contains('busy')) state.replaceChildren('\u00a0');
        state.classList.remove('busy');
      },
      state(text, kind, title = '') {
        state.textContent = text;
        state.className = kind === undefined ? 'state' : `state ${kind}`;
        state.title = title;
      },
      how(text) {
        how.textContent = text ?? choice.what;
        how.title = text ?? '';
      },
      times(loadTime, runTime, rounds) {
        load.textContent = loadTime === undefined ? '–' : milliseconds(loadTime);
        run.textContent = runTime === undefined ? '–' : milliseconds(runTime);
        runName.title = rounds === undefined ? '' : `best of ${rounds}, from prepared pixels to logits`;
      },
    };
  });
}
