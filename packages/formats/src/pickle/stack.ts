import { DAMAGED, type PickleLimits, type PickleRefuse, UNTRUSTED } from './bounds.js';
import type { PickleValue } from './values.js';

/** Nesting of marks: containers under construction inside each other. */
const MAX_MARKS = 1000;

/** The machine's stack, cut into frames by marks; nothing is taken from below the last mark. */
export interface PickleStack {
  readonly push: (value: PickleValue) => void;
  /** A new container or object, which counts against the limit. */
  readonly pushObject: (value: PickleValue) => void;
  /** Counts an object made elsewhere. */
  readonly count: () => void;
  readonly pop: () => PickleValue;
  readonly top: () => PickleValue;
  /** The top, or undefined at a mark or at the bottom. */
  readonly peek: () => PickleValue | undefined;
  readonly mark: () => void;
  readonly popToMark: () => PickleValue[];
  /** POP: the top, or an empty frame. */
  readonly drop: () => void;
  readonly isEmpty: () => boolean;
}

/** @throws whatever `refuse` throws: `E_PICKLE_STACK`, `E_PICKLE_LIMIT` */
export function createPickleStack(limits: PickleLimits, refuse: PickleRefuse): PickleStack {
  const values: PickleValue[] = [];
  const marks: number[] = [];
  let objects = 0;
  const floor = (): number => marks[marks.length - 1] ?? 0;

  function push(value: PickleValue): void {
    if (values.length >= limits.entries) {
      refuse('E_PICKLE_LIMIT', `more than ${limits.entries} values on the stack`, UNTRUSTED);
    }
    values.push(value);
  }

  function count(): void {
    objects += 1;
    if (objects > limits.objects) refuse('E_PICKLE_LIMIT', `more than ${limits.objects} objects`, UNTRUSTED);
  }

  function top(): PickleValue {
    if (values.length <= floor()) refuse('E_PICKLE_STACK', 'the stack is empty', DAMAGED);
    return values[values.length - 1] as PickleValue;
  }

  function pop(): PickleValue {
    const value = top();
    values.pop();
    return value;
  }

  function popToMark(): PickleValue[] {
    const mark = marks.pop();
    if (mark === undefined) return refuse('E_PICKLE_STACK', 'there is no mark', DAMAGED);
    return values.splice(mark);
  }

  return {
    push,
    count,
    pushObject: (value) => {
      count();
      push(value);
    },
    pop,
    top,
    peek: () => (values.length > floor() ? values[values.length - 1] : undefined),
    mark: () => {
      if (marks.length >= MAX_MARKS)
        refuse('E_PICKLE_LIMIT', `containers are nested more than ${MAX_MARKS} deep`, UNTRUSTED);
      marks.push(values.length);
    },
    popToMark,
    drop: () => {
      if (values.length > floor()) values.pop();
      else popToMark();
    },
    isEmpty: () => values.length === 0 && marks.length === 0,
  };
}
