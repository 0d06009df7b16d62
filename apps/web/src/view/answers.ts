import { count } from '../format.js';
import { element, within } from './elements.js';

interface Answer {
  readonly label: string;
  readonly logit: number;
  readonly score: number;
}

/** Scores are k/65536. */
const UNIT = 65536;

/** The best classes: name, integer score, bar, in the rows that index.html has. */
export function createAnswersView(): { show(answers: readonly Answer[]): void } {
  const rows = [...element('answers', HTMLOListElement).children].map((row) => ({
    row,
    label: within(row, '.label', HTMLSpanElement),
    score: within(row, '.score', HTMLSpanElement),
    fill: within(row, '.fill', HTMLSpanElement),
  }));
  return {
    show(answers) {
      for (const [index, { row, label, score, fill }] of rows.entries()) {
        const answer = answers[index];
        const k = answer === undefined ? 0 : Math.round(answer.score * UNIT);
        label.textContent = answer?.label ?? '–';
        score.textContent = answer === undefined ? '–' : count(k);
        row.setAttribute(
          'title',
          answer === undefined ? '' : `logit ${count(answer.logit)}, score ${count(k)} of 65,536`,
        );
        fill.style.setProperty('transform', `scaleX(${k / UNIT})`);
      }
    },
  };
}
