import { describe, expect, it } from 'vitest';
import { RunQueue } from './run-queue.js';

const IMAGE = new Uint8Array(4);

/** A queue over a list that its calls write to, for two images of four bytes at once. */
function queueOver(log: string[]): RunQueue<string[]> {
  return new RunQueue(log, 2, IMAGE.length);
}

function coded(code: string): unknown {
  return expect.objectContaining({ code });
}

/** A promise, and what settles it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}

describe('run', () => {
  it('runs one call after the other, whether it succeeds or not', async () => {
    const log: string[] = [];
    const queue = queueOver(log);
    const slow = gate();
    const first = queue.run(IMAGE, { batch: 1 }, async (held) => {
      held.push('first begins');
      await slow.opened;
      held.push('first fails');
      throw new Error('on purpose');
    });
    const second = queue.run(IMAGE, { batch: 1 }, async (held) => {
      held.push('second');
      return 2;
    });
    await turn();
    expect(log).toEqual(['first begins']);
    slow.open();
    await expect(first).rejects.toThrow('on purpose');
    await expect(second).resolves.toBe(2);
    expect(log).toEqual(['first begins', 'first fails', 'second']);
  });

  it.each([
    ['too few bytes', new Uint8Array(3), 1],
    ['one image as two', IMAGE, 2],
    ['no image', new Uint8Array(0), 0],
    ['more than maxBatch', new Uint8Array(12), 3],
  ])('refuses %s at once, though others still run', async (_, pixels, batch) => {
    const queue = queueOver([]);
    const slow = gate();
    const first = queue.run(IMAGE, { batch: 1 }, () => slow.opened);
    await expect(queue.run(pixels, { batch }, async () => undefined)).rejects.toEqual(coded('E_INPUT'));
    slow.open();
    await first;
  });

  it('refuses pixels whose buffer went elsewhere while the call waited', async () => {
    const queue = queueOver([]);
    const pixels = IMAGE.slice();
    const slow = gate();
    const first = queue.run(IMAGE, { batch: 1 }, () => slow.opened);
    const second = queue.run(pixels, { batch: 1 }, async () => undefined);
    structuredClone(pixels.buffer, { transfer: [pixels.buffer] });
    slow.open();
    await first;
    await expect(second).rejects.toEqual(coded('E_INPUT'));
  });

  it('does not start a call that was aborted while it waited, and goes on with the next', async () => {
    const log: string[] = [];
    const queue = queueOver(log);
    const controller = new AbortController();
    const slow = gate();
    const first = queue.run(IMAGE, { batch: 1 }, () => slow.opened);
    const second = queue.run(IMAGE, { batch: 1, signal: controller.signal }, async () => log.push('second'));
    const third = queue.run(IMAGE, { batch: 1 }, async () => log.push('third'));
    controller.abort('changed my mind');
    slow.open();
    await first;
    await expect(second).rejects.toEqual(expect.objectContaining({ code: 'E_ABORTED', cause: 'changed my mind' }));
    await third;
    expect(log).toEqual(['third']);
  });
});

describe('trace', () => {
  it('waits for what runs, and keeps what comes later waiting until it is read to its end', async () => {
    const log: string[] = [];
    const queue = queueOver(log);
    const slow = gate();
    const first = queue.run(IMAGE, { batch: 1 }, () => slow.opened);
    const trace = queue.trace(IMAGE, function* (held) {
      held.push('trace begins');
      yield 1;
      yield 2;
    });
    const entry = trace.next();
    const later = queue.run(IMAGE, { batch: 1 }, async (held) => held.push('later'));
    await turn();
    expect(log).toEqual([]);
    slow.open();
    await first;
    expect((await entry).value).toBe(1);
    await turn();
    expect(log).toEqual(['trace begins']);
    expect((await trace.next()).value).toBe(2);
    expect((await trace.next()).done).toBe(true);
    await later;
    expect(log).toEqual(['trace begins', 'later']);
  });

  it('lets the queue go on when it is left early or fails', async () => {
    const log: string[] = [];
    const queue = queueOver(log);
    const read = async (fail: boolean): Promise<void> => {
      const entries = queue.trace(IMAGE, async function* () {
        try {
          yield 1;
          if (fail) throw new Error('on purpose');
        } finally {
          log.push('cleaned up');
        }
      });
      for await (const _ of entries) if (!fail) break;
    };
    await read(false);
    await expect(read(true)).rejects.toThrow('on purpose');
    await queue.run(IMAGE, { batch: 1 }, async () => log.push('later'));
    expect(log).toEqual(['cleaned up', 'cleaned up', 'later']);
  });

  it('takes one image', async () => {
    const queue = queueOver([]);
    const entries = queue.trace(new Uint8Array(8), function* () {
      yield 1;
    });
    await expect(entries.next()).rejects.toEqual(coded('E_INPUT'));
  });

  it('ends with E_DISPOSED when the executable is disposed between two entries', async () => {
    const queue = queueOver([]);
    const entries = queue.trace(IMAGE, function* () {
      yield 1;
      yield 2;
    });
    await entries.next();
    const disposal = queue.dispose((_, ended) => ended);
    await expect(entries.next()).rejects.toEqual(coded('E_DISPOSED'));
    await disposal;
  });
});

describe('dispose', () => {
  it('gives back once, after the call that runs, and refuses those that wait and those that come', async () => {
    const log: string[] = [];
    const queue = queueOver(log);
    const slow = gate();
    const running = queue.run(IMAGE, { batch: 1 }, async (held) => {
      await slow.opened;
      held.push('ran');
      queue.live();
    });
    const waiting = queue.run(IMAGE, { batch: 1 }, async (held) => held.push('waited'));
    await turn();
    const free = async (held: string[], ended: Promise<void>): Promise<void> => {
      held.push('stop');
      await ended;
      held.push('free');
    };
    const disposals = [queue.dispose(free), queue.dispose(free)];
    expect(log).toEqual(['stop']);
    await expect(queue.run(IMAGE, { batch: 1 }, async () => undefined)).rejects.toEqual(coded('E_DISPOSED'));
    await expect(queue.trace(IMAGE, () => []).next()).rejects.toEqual(coded('E_DISPOSED'));
    slow.open();
    await expect(running).rejects.toEqual(coded('E_DISPOSED'));
    await expect(waiting).rejects.toEqual(coded('E_DISPOSED'));
    await Promise.all(disposals);
    expect(log).toEqual(['stop', 'ran', 'free']);
    await queue.dispose(free);
    expect(log).toEqual(['stop', 'ran', 'free']);
  });

  it('tells everyone who disposes when giving back failed', async () => {
    const queue = queueOver([]);
    const free = async (): Promise<void> => {
      throw new Error('on purpose');
    };
    await expect(queue.dispose(free)).rejects.toThrow('on purpose');
    await expect(queue.dispose(free)).rejects.toThrow('on purpose');
  });
});
