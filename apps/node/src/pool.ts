import { type ChildProcess, fork } from 'node:child_process';
import { IvitError } from 'ivit';
import type { FromWorker, LoadMessage, PhotoMessage, ToWorker } from './messages.js';
import type { Labeling, Outcome } from './row.js';

/** A worker process that ends this often while it has one and the same photo: the photo's fault. */
const MOST_DEATHS = 2;
/** Photos that a worker has: one in work, one that is there when it is done. */
const PHOTOS_PER_WORKER = 2;
/** Workers that end in a row before they have loaded the model. */
const MOST_FAILED_STARTS = 3;

interface Job {
  readonly message: PhotoMessage;
  deaths: number;
  /** Undefined: given up before it was begun. */
  settle(outcome: Outcome | undefined): void;
}

interface Worker {
  readonly child: ChildProcess;
  ready: boolean;
  /** The first is in work. */
  readonly jobs: Job[];
}

export interface PoolOptions {
  /** Script that calls `runWorker` when it is given `--worker`. */
  readonly script: string;
  readonly workers: number;
  readonly load: LoadMessage;
  /** A backend that would be preferred does not run here: the same bits, but slower. Told once. */
  readonly onSkipped: (message: string) => void;
}

/** Processes that label photos, each one at a time. Photos are begun in the order in which they are given. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #workers = new Set<Worker>();
  #waiting: Job[] = [];
  #failedStarts = 0;
  #closed = false;
  #failure: IvitError | undefined;
  #labeling: Labeling | undefined;
  #loaded: { resolve(labeling: Labeling): void; reject(error: Error): void } | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Starts the workers. @returns what rows depend on, once one has loaded the model. @throws what loading throws */
  start(): Promise<Labeling> {
    return new Promise((resolve, reject) => {
      this.#loaded = { resolve, reject };
      for (let index = 0; index < this.#options.workers; index++) this.#startWorker();
    });
  }

  /** Labels a photo; undefined if it was given up before it was begun. @throws E_WORKER, E_INTEGRITY: no worker can go on */
  label(message: PhotoMessage): Promise<Outcome | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      const settle = (outcome: Outcome | undefined): void => {
        if (this.#failure === undefined) resolve(outcome);
        else reject(this.#failure);
      };
      this.#waiting.push({ message, deaths: 0, settle });
      this.#assign();
    });
  }

  /** Begins no more photos: those that wait come out as undefined. */
  giveUpWaiting(): void {
    for (const job of this.#waiting.splice(0)) job.settle(undefined);
  }

  /** Ends the workers. */
  close(): void {
    this.#closed = true;
    this.giveUpWaiting();
    for (const { child } of this.#workers) if (child.connected) child.disconnect();
  }

  #assign(): void {
    for (let most = 1; most <= PHOTOS_PER_WORKER; most++) {
      for (const worker of this.#workers) {
        if (!worker.ready || worker.jobs.length >= most) continue;
        const job = this.#waiting.shift();
        if (job === undefined) return;
        worker.jobs.push(job);
        this.#send(worker, job.message);
      }
    }
  }

  #send({ child }: Worker, message: ToWorker): void {
    // One that has gone says so by its exit.
    child.send(message, () => undefined);
  }

  #startWorker(): void {
    const child = fork(this.#options.script, ['--worker'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const worker: Worker = { child, ready: false, jobs: [] };
    this.#workers.add(worker);
    child.on('message', (message: FromWorker) => this.#receive(worker, message));
    child.on('error', () => undefined);
    child.on('exit', (code, signal) => this.#ended(worker, signal ?? `status ${code}`));
    this.#send(worker, this.#options.load);
  }

  #receive(worker: Worker, message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.#failedStarts = 0;
        if (this.#labeling === undefined) this.#tellSkipped(message);
        this.#labeling ??= message.labeling;
        if (JSON.stringify(this.#labeling) !== JSON.stringify(message.labeling)) {
          this.#fail(new IvitError('E_INTEGRITY', 'The model file has changed during the run', { where: 'model' }));
          return;
        }
        worker.ready = true;
        this.#loaded?.resolve(message.labeling);
        break;
      case 'refused':
        this.#fail(new IvitError(message.error.code, message.error.message));
        return;
      case 'done':
        worker.jobs.shift()?.settle(message.outcome);
        break;
    }
    this.#assign();
  }

  #tellSkipped({ backend, skipped }: Extract<FromWorker, { readonly type: 'ready' }>): void {
    for (const { backend: name, code, reason } of skipped) {
      this.#options.onSkipped(`runs on ${backend}, as ${name} does not: ${code}, ${reason}`);
    }
  }

  #ended(worker: Worker, how: string): void {
    this.#workers.delete(worker);
    const jobs = worker.jobs.splice(0);
    if (this.#closed) {
      for (const job of jobs) job.settle(undefined);
      return;
    }
    const [inWork, ...next] = jobs;
    this.#waiting.unshift(...next);
    if (inWork !== undefined) {
      inWork.deaths += 1;
      const { deaths } = inWork;
      if (deaths < MOST_DEATHS) this.#waiting.unshift(inWork);
      else inWork.settle({ error: { code: 'E_WORKER', message: `${deaths} processes ended on this photo (${how})` } });
    }
    if (!worker.ready) this.#failedStarts += 1;
    if (this.#failedStarts >= MOST_FAILED_STARTS) {
      this.#fail(new IvitError('E_WORKER', `Worker processes end before they have loaded the model (${how})`));
      return;
    }
    this.#startWorker();
  }

  #fail(error: IvitError): void {
    this.#failure ??= error;
    this.#loaded?.reject(this.#failure);
    const jobs = [...this.#workers].flatMap(({ jobs: held }) => held);
    this.close();
    for (const job of jobs) job.settle(undefined);
  }
}
