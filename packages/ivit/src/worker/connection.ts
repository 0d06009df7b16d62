import { abortError, IvitError, throwIfAborted } from '@ivit/program';
import { createWorkerHandle } from '../start-worker.js';
import { watchLifeLock } from './liveness.js';
import type { AnyCall, AnyResult, CallName, Calls, FromWorker } from './messages.js';
import type { Transfer } from './pack.js';
import type { PlatformWorker } from './types.js';
import { unpackError } from './wire-error.js';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: unknown) => void) | undefined;
}

/** A worker and the calls under way in it. */
export interface Connection {
  /**
   * @throws E_ABORTED as soon as the signal fires, whatever the worker is busy with; E_WORKER if the worker is gone;
   *   E_DISPOSED after `close`; what the call throws in the worker
   */
  call<K extends CallName>(
    call: { readonly call: K } & Calls[K]['request'],
    transfer: Transfer,
    options?: CallOptions,
  ): Promise<Calls[K]['result']>;
  /** Ends the worker; calls under way reject with E_DISPOSED. */
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (value: AnyResult) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: ((progress: unknown) => void) | undefined;
}

function gone(reason: string): IvitError {
  return new IvitError('E_WORKER', `The worker is gone: ${reason}`, {
    hint: 'Load the model again; if it happens again, the device may be short of memory.',
  });
}

/** @throws E_WORKER */
export function connect(create: (() => PlatformWorker) | undefined): Connection {
  const worker = createWorkerHandle(create);
  const pending = new Map<number, Pending>();
  const watch = new AbortController();
  let lastId = 0;
  let closed: IvitError | undefined;

  function end(error: IvitError): Promise<void> {
    if (closed !== undefined) return Promise.resolve();
    closed = error;
    watch.abort();
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
    return worker.terminate();
  }

  const die = (reason: string): void => void end(gone(reason));

  function take(id: number): Pending | undefined {
    const found = pending.get(id);
    pending.delete(id);
    if (pending.size === 0) worker.hold(false);
    return found;
  }

  function receive(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        if (message.lock !== undefined) watchLifeLock(message.lock, watch.signal, () => die('it closed itself'));
        return;
      case 'progress':
        pending.get(message.id)?.onProgress?.(message.progress);
        return;
      case 'done':
        take(message.id)?.resolve(message.value);
        return;
      case 'failed':
        take(message.id)?.reject(unpackError(message.error));
        return;
      case 'broken':
        die(message.reason);
        return;
      default:
        message satisfies never;
    }
  }

  function post(id: number, call: AnyCall, transfer: Transfer): void {
    try {
      worker.post({ kind: 'call', id, call }, transfer);
    } catch (cause) {
      throw new IvitError('E_INPUT', 'Something of this call cannot be sent to a worker', {
        where: call.call,
        hint: 'Pass plain data: bytes, Blobs, pixels, numbers and strings.',
        cause,
      });
    }
  }

  worker.listen(receive, die);
  worker.hold(false);

  return {
    call<K extends CallName>(
      call: { readonly call: K } & Calls[K]['request'],
      transfer: Transfer,
      { signal, onProgress }: CallOptions = {},
    ): Promise<Calls[K]['result']> {
      if (closed !== undefined) return Promise.reject(closed);
      lastId += 1;
      const id = lastId;
      let stop = (): void => undefined;
      const answer = new Promise<AnyResult>((resolve, reject) => {
        throwIfAborted(signal);
        stop = () => {
          if (pending.has(id)) worker.post({ kind: 'abort', id }, []);
          take(id)?.reject(abortError(signal));
        };
        post(id, call as AnyCall, transfer);
        pending.set(id, { resolve, reject, onProgress });
        worker.hold(true);
        signal?.addEventListener('abort', stop, { once: true });
      });
      // The worker answers each call with its own kind of result.
      return answer.finally(() => signal?.removeEventListener('abort', stop)) as Promise<Calls[K]['result']>;
    },
    close: () => end(new IvitError('E_DISPOSED', 'The model was disposed of')),
  };
}
