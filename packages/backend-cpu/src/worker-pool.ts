import { IvitError } from '@ivit/program';
import type { KernelModules } from './wasm-module.js';
import type { WorkerHandle } from './worker-handle.js';
import type { FromWorker, ToWorker } from './worker-messages.js';

/** Threads without an executable stay so long for the next one. */
const IDLE_MILLISECONDS = 1000;

interface Job {
  waiting: number;
  groups: number;
  readonly resolve: (groups: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The threads of a backend. Every message goes to all of them in one order, so that jobs of several executables cannot
 * wait for each other. A pool in which one thread failed is lost as a whole: the others may wait for it for ever.
 */
export class WorkerPool {
  readonly threads: number;
  readonly #workers: readonly WorkerHandle[];
  readonly #jobs = new Map<number, Job>();
  #lastJob = 0;
  #users = 0;
  /**
   * Memories of disposed executables. A thread lets go of one only when its own collector runs, and a loop over integers gives
   * it no reason to; engines also bound the address space of all memories together. So they are used again.
   */
  readonly #free: WebAssembly.Memory[] = [];
  #idle: ReturnType<typeof setTimeout> | undefined;
  #lost: IvitError | undefined;

  constructor(create: () => WorkerHandle, threads: number) {
    this.threads = threads;
    this.#workers = Array.from({ length: threads }, () => create());
    for (const worker of this.#workers) {
      worker.listen(
        (message) => this.#receive(message),
        (reason) => this.#fail(`A worker of the CPU backend is gone: ${reason}`),
      );
    }
  }

  get lost(): boolean {
    return this.#lost !== undefined;
  }

  #send(message: (thread: number) => ToWorker): void {
    for (const [thread, worker] of this.#workers.entries()) worker.post(message(thread));
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'failed') {
      this.#fail(`A worker of the CPU backend failed: ${message.reason}`);
      return;
    }
    const job = this.#jobs.get(message.job);
    if (job === undefined) return;
    job.groups = message.groups;
    job.waiting -= 1;
    if (job.waiting > 0) return;
    this.#jobs.delete(message.job);
    if (this.#jobs.size === 0) for (const worker of this.#workers) worker.hold(false);
    job.resolve(job.groups);
  }

  #fail(problem: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = new IvitError('E_DEVICE_LOST', problem, { hint: 'Compile the program again.' });
    this.#free.length = 0;
    for (const worker of this.#workers) worker.terminate();
    for (const job of this.#jobs.values()) job.reject(this.#lost);
    this.#jobs.clear();
  }

  /** One more user: the threads stay until it is given back. */
  acquire(): void {
    this.#users += 1;
    clearTimeout(this.#idle);
  }

  /** A while after the last user the threads end. */
  release(): void {
    this.#users -= 1;
    if (this.#users > 0 || this.#lost !== undefined) return;
    const timer = setTimeout(() => this.#fail('The threads were given back'), IDLE_MILLISECONDS);
    this.#idle = timer;
    // In Node the wait keeps no process alive; elsewhere timers are numbers.
    if (typeof timer === 'object') timer.unref();
  }

  /** Gives an executable's memory to every thread. @throws E_DEVICE_LOST */
  load(id: number, modules: KernelModules, memory: WebAssembly.Memory, scratch: (thread: number) => number): void {
    if (this.#lost !== undefined) throw this.#lost;
    this.#send((thread) => ({
      kind: 'load',
      id,
      module: modules.main,
      relaxed: modules.relaxed,
      memory,
      scratch: scratch(thread),
    }));
  }

  /** Runs a command list on all threads; resolves to the groups done. @throws E_DEVICE_LOST */
  run(id: number, list: number, count: number): Promise<number> {
    const { threads } = this;
    return this.#start(this.#workers, (job) => ({ kind: 'run', id, job, list, count, threads }));
  }

  /** Runs a list on one thread alone: it waits for no other. @throws E_DEVICE_LOST */
  runOn(thread: number, id: number, list: number, count: number, scratch: number): Promise<number> {
    const one = this.#workers.slice(thread, thread + 1);
    return this.#start(one, (job) => ({ kind: 'run', id, job, list, count, threads: 1, scratch }));
  }

  #start(workers: readonly WorkerHandle[], message: (job: number) => ToWorker): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) {
        reject(this.#lost);
        return;
      }
      this.#lastJob += 1;
      const job = this.#lastJob;
      this.#jobs.set(job, { waiting: workers.length, groups: 0, resolve, reject });
      for (const worker of workers) {
        worker.hold(true);
        worker.post(message(job));
      }
    });
  }

  /** A memory of exactly so many bytes that was given back, if there is one; it holds what it held. */
  takeMemory(bytes: number): WebAssembly.Memory | undefined {
    const index = this.#free.findIndex((memory) => memory.buffer.byteLength === bytes);
    return index < 0 ? undefined : this.#free.splice(index, 1)[0];
  }

  giveBack(memory: WebAssembly.Memory): void {
    if (this.#lost === undefined) this.#free.push(memory);
  }

  /** Forgets an executable. */
  drop(id: number): void {
    if (this.#lost === undefined) this.#send(() => ({ kind: 'drop', id }));
  }
}
