import { type Problem, problemOf } from '../problem.js';
import { element, make } from './elements.js';

export interface Notice {
  problem(error: unknown): void;
  show(problem: Problem): void;
  clear(): void;
}

/** Errors, over the foot of the page so that nothing moves: code, what is wrong, what to do. */
export function createNotice(): Notice {
  const box = element('notice', HTMLDivElement);
  const clear = (): void => box.replaceChildren();
  const show = ({ code, what, advice }: Problem): void => {
    const close = make('button', { type: 'button', class: 'quiet' }, 'Dismiss');
    close.addEventListener('click', clear);
    box.replaceChildren(
      make('p', {}, make('code', {}, code), ' ', what),
      ...(advice === undefined ? [] : [make('p', { class: 'advice' }, advice)]),
      close,
    );
  };
  document.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') clear();
  });
  return { problem: (error) => show(problemOf(error)), show, clear };
}
