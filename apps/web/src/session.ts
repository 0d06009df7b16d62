import { IvitError, rankAnswers, type WorkerModel } from 'ivit/worker';
import { findAttention } from './attention/find-attention.js';
import { patchMap, rollout } from './attention/rollout.js';
import { createEngine, type Engine, type ModelFile } from './engine.js';
import { milliseconds } from './format.js';
import { isAbort, problemOf } from './problem.js';
import type { createAnswersView } from './view/answers.js';
import { type BackendRow, unavailable } from './view/backends.js';
import type { ModelView } from './view/model.js';
import type { Notice } from './view/notice.js';
import { type PhotoView, wantsAttention } from './view/photo.js';
import type { createReceiptView, Receipt } from './view/receipt.js';

export interface Views {
  readonly answers: ReturnType<typeof createAnswersView>;
  readonly backends: readonly BackendRow[];
  readonly model: ModelView;
  readonly notice: Notice;
  readonly photo: PhotoView;
  readonly receipt: ReturnType<typeof createReceiptView>;
  status(text: string, busy: boolean): void;
  verdict(text: string, kind: 'equal' | 'different' | 'none'): void;
}

export interface Session {
  setPhoto(file: File): void;
  setModel(file: ModelFile): void;
  /** The same photo and model again: other backends are wanted, or the attention. */
  refresh(): void;
  stop(): void;
}

/** The model file itself is at fault, not the backend that was to run it. */
const FILE_AT_FAULT = /^E_(SAFETENSORS|PROGRAM|TENSOR|INTEGRITY|NEEDS_QUANTIZING|READ|NOT_FOUND|NETWORK)/;

/** What stops everything, already shown. */
class Shown extends Error {}

type PreparedImage = Awaited<ReturnType<WorkerModel['prepare']>>;

interface Job {
  readonly photo: File;
  readonly engine: Engine;
  readonly signal: AbortSignal;
}

function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new IvitError('E_ABORTED', 'Stopped');
}

interface Seen {
  readonly row: BackendRow;
  readonly model: WorkerModel;
  readonly receipt: Receipt;
  readonly pixels: PreparedImage;
}

export function createSession(views: Views, first: ModelFile): Session {
  let engine = createEngine(first);
  /** The last model that loaded: where a file turns out to be none, it is the model again. */
  let good = first;
  let photo: File | undefined;
  let current = new AbortController();

  /** Loads the model on a row's backend and, the first time, makes the photo its pixels. */
  async function load(row: BackendRow, job: Job): Promise<WorkerModel | undefined> {
    row.state('Loading', 'busy');
    try {
      const { model, loadTime } = await job.engine.model(row.choice.name, job.signal);
      row.how(row.choice.describe(model.info.backend));
      row.times(loadTime);
      return model;
    } catch (error) {
      if (isAbort(error)) throw error;
      const problem = problemOf(error);
      if (FILE_AT_FAULT.test(problem.code)) {
        row.state('\u00a0');
        throw error;
      }
      unavailable(row, problem);
      return undefined;
    }
  }

  /** Unticks a row that would take long, unless it was ticked by hand. */
  async function leaveOut(row: BackendRow, macs: number): Promise<boolean> {
    const reason = row.insists() ? undefined : await row.choice.hesitate?.(macs);
    if (reason === undefined) return false;
    row.want(false);
    row.state(`Left out: ${reason} Tick it to run it.`);
    return true;
  }

  async function runAll(job: Job): Promise<Seen[]> {
    const seen: Seen[] = [];
    let pixels: PreparedImage | undefined;
    for (const row of views.backends) {
      row.times(undefined);
      if (!row.leftOut()) row.state(row.wanted() ? '\u00a0' : 'Not asked');
    }
    for (const row of views.backends.filter((candidate) => candidate.wanted())) {
      if (await leaveOut(row, seen[0]?.model.program.facts.macs ?? 0)) continue;
      throwIfStopped(job.signal);
      views.status(`Labeling ${job.photo.name} on ${row.choice.title}`, true);
      const model = await load(row, job);
      if (model === undefined) continue;
      if (pixels === undefined) {
        good = job.engine.file;
        views.model.facts(model.program, job.engine.file);
        await views.photo.show(job.photo, model.program.image);
        pixels = await model.prepare(job.photo, { where: job.photo.name, signal: job.signal });
      }
      row.state('Running', 'busy');
      const { loadTime } = await job.engine.model(row.choice.name, job.signal);
      const { result, time, rounds } = await job.engine.run(model, pixels, job.signal);
      row.times(loadTime, time, rounds);
      const { receipt } = result;
      const logits = result.outputs['logits']?.data;
      if (seen.length === 0 && logits instanceof Int32Array) {
        views.answers.show(rankAnswers(logits, model.program, 5));
        views.receipt.show(receipt);
      }
      const same = seen.every((other) => JSON.stringify(other.receipt) === JSON.stringify(receipt));
      row.state(
        `${same ? 'Receipt' : 'Another receipt:'} ${receipt.output.slice(0, 12)}…`,
        same ? 'equal' : 'different',
      );
      seen.push({ row, model, receipt, pixels });
    }
    return seen;
  }

  function judge(seen: readonly Seen[]): void {
    const receipts = new Set(seen.map(({ receipt }) => JSON.stringify(receipt)));
    const names = new Intl.ListFormat('en').format(seen.map(({ row }) => row.choice.title));
    if (receipts.size > 1)
      views.verdict(`${names} gave different receipts: one of them computes wrongly.`, 'different');
    else if (seen.length > 1) views.verdict(`${names}: one receipt, bit for bit.`, 'equal');
    else if (seen.length === 1) views.verdict(`${names} alone ran: nothing to compare with.`, 'none');
    else views.verdict('No backend ran.', 'different');
  }

  async function showAttention({ model, receipt, pixels }: Seen, { signal }: Job): Promise<void> {
    if (!wantsAttention()) {
      views.photo.heat(undefined, 'Not asked for');
      return;
    }
    const attention = findAttention(model.program);
    if ('missing' in attention) {
      views.photo.heat(undefined, `Not available for this model: ${attention.missing}.`);
      return;
    }
    const { found } = attention;
    const outputs = found.layers.map(({ value }) => value);
    const [result] = await model.run([pixels], { outputs, signal });
    if (result === undefined || JSON.stringify(result.receipt) !== JSON.stringify(receipt)) {
      views.photo.heat(undefined, 'Not shown: the run that kept the attention gave another receipt.');
      return;
    }
    const rolled = rollout(
      found,
      outputs.map((name) => result.outputs[name]?.data ?? []),
    );
    const layers = `${found.layers.length} layers, ${found.heads} heads, ${found.side} × ${found.side} patches`;
    views.photo.heat(
      { side: found.side, values: patchMap(found, rolled) },
      `Rollout of the integer probabilities: ${layers}`,
    );
  }

  async function work(job: Job): Promise<void> {
    const began = performance.now();
    const seen = await runAll(job);
    judge(seen);
    const [best] = seen;
    if (best === undefined) throw new Shown('no backend ran');
    views.status(`Looking at the attention`, true);
    await showAttention(best, job);
    views.status(`${job.photo.name}: done in ${milliseconds(performance.now() - began)}`, false);
  }

  function blank(): void {
    views.answers.show([]);
    views.receipt.show(undefined);
    views.photo.heat(undefined, '\u00a0');
    views.verdict('\u00a0', 'none');
  }

  function fail(error: unknown, job: Job): void {
    if (job.signal.aborted) return;
    for (const row of views.backends) row.settle();
    views.status(isAbort(error) ? 'Stopped' : 'That did not work', false);
    if (isAbort(error)) return;
    if (error instanceof Shown) return;
    blank();
    views.notice.problem(error);
    // A file that is no model leaves the one before in its place.
    if (FILE_AT_FAULT.test(problemOf(error).code) && engine.file !== good) {
      views.model.choose(good);
      setModel(good);
    }
  }

  function start(): void {
    current.abort();
    current = new AbortController();
    if (photo === undefined) return;
    const job: Job = { photo, engine, signal: current.signal };
    work(job).catch((error: unknown) => fail(error, job));
  }

  function setModel(file: ModelFile): void {
    current.abort();
    void engine.dispose();
    engine = createEngine(file);
    for (const row of views.backends) row.renew();
    start();
  }

  return {
    setPhoto(file) {
      photo = file;
      views.notice.clear();
      blank();
      void views.photo.show(file, undefined);
      start();
    },
    setModel(file) {
      views.notice.clear();
      blank();
      setModel(file);
    },
    refresh: start,
    stop() {
      current.abort();
      for (const row of views.backends) row.settle();
      views.status('Stopped', false);
      // What a stopped backend is still busy with ends with its worker.
      void engine.dispose();
      engine = createEngine(engine.file);
    },
  };
}
