import type { Problem } from '../problem.js';
import { element } from './elements.js';

export interface Receipt {
  readonly spec: string;
  readonly model: string;
  readonly pixels: string;
  readonly output: string;
}

const FIELDS: readonly (keyof Receipt)[] = ['spec', 'model', 'pixels', 'output'];

/** As wide as a digest: an empty receipt takes the room of a full one. */
const BLANK = '·'.repeat(64);

export function createReceiptView(onProblem: (problem: Problem) => void): { show(receipt: Receipt | undefined): void } {
  const list = element('receipt', HTMLDListElement);
  const copy = element('copy', HTMLButtonElement);
  let current: Receipt | undefined;
  const found = [...list.querySelectorAll('dd')];
  const values = new Map(FIELDS.map((key, index) => [key, found[index]] as const));
  const show = (receipt: Receipt | undefined): void => {
    current = receipt;
    for (const [key, value] of values) {
      if (value === undefined) continue;
      value.textContent = receipt?.[key] ?? (key === 'spec' ? '·' : BLANK);
      value.classList.toggle('blank', receipt === undefined);
    }
    copy.disabled = receipt === undefined;
  };
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(JSON.stringify(current));
      copy.textContent = 'Copied';
      setTimeout(() => {
        copy.textContent = 'Copy';
      }, 1500);
    } catch {
      onProblem({
        code: 'E_CLIPBOARD',
        what: 'The browser did not let the page copy.',
        advice: 'Select the receipt and copy it by hand.',
      });
    }
  });
  show(undefined);
  return { show };
}
