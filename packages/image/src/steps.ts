/** Work in short steps: each `yield` is a point where the caller may let other work run, or give up. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Does the work at once. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** How long the work may hold the thread before others get a turn. */
const TURN_MILLISECONDS = 20;

/** Does the work in turns, so that `isAborted` can become true in between; it is asked before every turn. */
export async function finishInTurns<Result>(steps: Steps<Result>, checkAborted: () => void): Promise<Result> {
  for (;;) {
    checkAborted();
    const end = Date.now() + TURN_MILLISECONDS;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (Date.now() < end);
    await nextTurn();
  }
}

/** Node's `setImmediate` lets timers and files have their turn without the millisecond that a timer waits. */
const immediately: ((callback: () => void) => unknown) | undefined = Reflect.get(globalThis, 'setImmediate');

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (immediately === undefined) setTimeout(resolve, 0);
    else immediately(resolve);
  });
}
