import type { LoadProgress } from '../progress.js';
import type { Io } from './io.js';

/** One line of progress on stderr: redrawn on a terminal, printed now and then elsewhere. */
export interface ProgressLine {
  update(label: string, done?: number, total?: number): void;
  /** Removes the line, so that something else can be printed. */
  clear(): void;
}

const WIDTH = 24;
/** A terminal is redrawn at most this often, ms. */
const REDRAW = 80;
/** Elsewhere a label that stays is repeated after this time, ms. */
const REPEAT = 10_000;

function measure(label: string, done: number, total: number, drawn: boolean): string {
  const share = Math.min(1, total > 0 ? done / total : 1);
  const percent = `${Math.floor(share * 100)} %`;
  if (!drawn) return `${label}: ${percent}`;
  const filled = Math.floor(share * WIDTH);
  return `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${percent.padStart(5)} ${label}`;
}

export function createProgressLine(io: Pick<Io, 'err' | 'terminal'>, quiet: boolean): ProgressLine {
  let shown = '';
  let label = '';
  let at = Number.NEGATIVE_INFINITY;
  if (quiet) return { update: () => undefined, clear: () => undefined };
  return {
    update(next, done, total) {
      const now = performance.now();
      const finished = done !== undefined && done === total;
      if (now - at < (io.terminal ? REDRAW : REPEAT) && (next === label || io.terminal) && !finished) return;
      const text = done === undefined || total === undefined ? next : measure(next, done, total, io.terminal);
      if (text === shown) return;
      io.err(io.terminal ? `\r\x1b[K${text}` : `${text}\n`);
      shown = text;
      label = next;
      at = now;
    },
    clear() {
      if (io.terminal && shown !== '') io.err('\r\x1b[K');
      shown = '';
      label = '';
      at = Number.NEGATIVE_INFINITY;
    },
  };
}

/** Shows what `loadModel` reports. */
export function showLoading(line: ProgressLine): (progress: LoadProgress) => void {
  return (progress) => {
    if (progress.phase === 'download') line.update(`download ${progress.file}`, progress.loaded, progress.total);
    else if (progress.phase === 'cached') line.update(`cached ${progress.file}`);
    else line.update(progress.backend === undefined ? progress.phase : `${progress.phase} (${progress.backend})`);
  };
}
