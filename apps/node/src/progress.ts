import type { LabelFolderResult, Tally } from './label-folder.js';

/** A terminal is redrawn at most this often, elsewhere a line is printed; milliseconds. */
const REDRAW = 200;
const REPEAT = 10_000;

export interface Screen {
  readonly terminal: boolean;
  write(text: string): void;
}

const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const tenths = (value: number): string => value.toFixed(1);

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${tenths(seconds / 3600)} h`;
}

/** Shows how far it is, on stderr. */
export function createProgress(screen: Screen, quiet: boolean, now: () => number = () => performance.now()) {
  const started = now();
  let shownAt = started;
  let shown = false;
  return {
    update({ total, done, kept, errors }: Tally): void {
      const time = now();
      if (quiet || time - shownAt < (screen.terminal ? REDRAW : REPEAT)) return;
      shownAt = time;
      const speed = ((done - kept) / Math.max(1, time - started)) * 1000;
      const left = speed > 0 ? `, ${duration(Math.max(0, total - done) / speed)} left` : '';
      const wrong = errors === 0 ? '' : `, ${many(errors, 'error')}`;
      const percent = Math.floor((Math.min(done, total) / Math.max(1, total)) * 100);
      const text = `${done} of ${many(total, 'photo')} (${percent} %), ${tenths(speed)} photos/s${wrong}${left}`;
      screen.write(screen.terminal ? `\r\x1b[K${text}` : `${text}\n`);
      shown = true;
    },
    clear(): void {
      if (screen.terminal && shown) screen.write('\r\x1b[K');
      shown = false;
    },
  };
}

/** The last line. */
export function summary({ done, errors, kept, milliseconds, interrupted, total }: LabelFolderResult): string {
  const fresh = done - kept;
  const speed = fresh === 0 ? '' : `, ${tenths((fresh / Math.max(1, milliseconds)) * 1000)} photos/s`;
  const counts = `${done - errors} labeled (${kept} of them before), ${many(errors, 'error')}${speed}`;
  const head = interrupted ? `interrupted after ${done} of ${many(total, 'photo')}` : many(done, 'photo');
  const tail = interrupted ? '; the same command goes on from here' : '';
  return `${head}: ${counts}${tail}\n`;
}
