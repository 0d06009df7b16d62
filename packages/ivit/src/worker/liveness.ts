/**
 * How a page learns that a worker is gone: browsers say nothing when one closes itself or is closed for its memory, but a
 * Web Lock that it held becomes free. Where there are no locks (Node, pages without a secure context) other signs must do.
 */
interface LockManager {
  request(name: string, body: () => Promise<void> | void): Promise<void>;
  request(name: string, options: { readonly signal: AbortSignal }, body: () => void): Promise<void>;
}

function lockManager(): LockManager | undefined {
  const navigator: unknown = Reflect.get(globalThis, 'navigator');
  if (typeof navigator !== 'object' || navigator === null || !('locks' in navigator)) return undefined;
  const { locks } = navigator as { readonly locks?: LockManager };
  return typeof locks?.request === 'function' ? locks : undefined;
}

/** Holds a lock of a new name as long as this worker lives; resolves to the name once it is held. */
export function holdLifeLock(): Promise<string | undefined> {
  const locks = lockManager();
  if (locks === undefined) return Promise.resolve(undefined);
  const name = `ivit-worker-${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    const held = (): Promise<void> => {
      resolve(name);
      return new Promise(() => undefined);
    };
    locks.request(name, held).catch(() => resolve(undefined));
  });
}

/** Calls `onDeath` when the lock becomes free, unless the signal ends the watch before. */
export function watchLifeLock(name: string, signal: AbortSignal, onDeath: () => void): void {
  lockManager()
    ?.request(name, { signal }, onDeath)
    .catch(() => undefined);
}
