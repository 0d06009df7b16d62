import { IvitError } from '@ivit/program';
import { scores } from './score.js';
import type { Answer } from './types.js';

/** What `rankAnswers` reads of a program. */
export interface AnswerRule {
  readonly outputShift: number;
  readonly labels?: readonly string[];
  readonly unknownBelow?: number;
}

/** So many answers are found in one pass; for more all classes are sorted, which costs milliseconds while the code is cold. */
const FEW = 32;

/** Indices of the largest logits, largest first, ties to the lower index. */
function bestClasses(logits: Int32Array, count: number): number[] {
  if (count > FEW) {
    const order = Array.from(logits.keys()).sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
    return order.slice(0, count);
  }
  const best: number[] = [];
  for (let index = 0; index < logits.length; index++) {
    const logit = logits[index] as number;
    let at = best.length;
    while (at > 0 && (logits[best[at - 1] as number] as number) < logit) at--;
    if (at >= count) continue;
    best.splice(at, 0, index);
    if (best.length > count) best.pop();
  }
  return best;
}

/**
 * The best classes of one image, best first, ties to the lower index.
 *
 * Where the rule has `unknownBelow` and the best score k is below it, the first answer is `unknown` (index -1) with
 * the best class's logit and score, and the classes follow it.
 *
 * @param logits int32, one per class
 * @param topK answers to return, 1 or more; fewer where there are fewer classes
 * @throws E_INPUT for a topK that is no positive integer
 */
export function rankAnswers(logits: Int32Array, rule: AnswerRule, topK = 5): Answer[] {
  if (!Number.isInteger(topK) || topK < 1) {
    throw new IvitError('E_INPUT', `topK must be a positive integer, not ${topK}`, { where: 'option topK' });
  }
  const ks = scores(logits, rule.outputShift);
  const answers = bestClasses(logits, topK).map((index) => ({
    label: rule.labels?.[index] ?? `class ${index}`,
    index,
    logit: logits[index] as number,
    // k·2^-16, exact: k has at most 17 bits.
    score: (ks[index] as number) * 0.0000152587890625,
  }));
  const best = answers[0];
  if (best === undefined || (ks[best.index] as number) >= (rule.unknownBelow ?? 0)) return answers;
  return [{ ...best, label: 'unknown', index: -1 }, ...answers].slice(0, topK);
}
