import { version } from '../../package.json';
import { describeError } from './describe-error.js';
import type { Io } from './io.js';
import { failUsage, USAGE } from './usage.js';

async function runCommand(args: readonly string[], io: Io): Promise<number> {
  const [command, ...rest] = args;
  if (args.includes('--help') || args.includes('-h') || command === 'help') {
    io.out(USAGE);
    return 0;
  }
  switch (command) {
    case 'classify':
      return (await import('./classify.js')).classify(rest, io);
    case 'quantize':
      return (await import('./quantize.js')).quantize(rest, io);
    case 'import':
      return (await import('./import.js')).importCheckpoint(rest, io);
    case 'inspect':
      return (await import('./inspect.js')).inspect(rest, io);
    case 'verify':
      return (await import('./verify.js')).verify(rest, io);
    case 'doctor':
      return (await import('./doctor.js')).doctor(rest, io);
    case 'bench':
      return (await import('./bench.js')).bench(rest, io);
    case '--version':
      io.out(`${version}\n`);
      return 0;
    case undefined:
      io.err(USAGE);
      return 2;
    default:
      return failUsage(`There is no command "${command}"`);
  }
}

/** Runs a command line (without `node` and the script) and returns the exit status. Never throws. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  try {
    return await runCommand(args, io);
  } catch (error) {
    if (io.signal.aborted) {
      io.err('ivit: interrupted\n');
      return 130;
    }
    const { code, message } = describeError(error);
    io.err(`ivit: ${code}: ${message}\n`);
    return code === 'E_USAGE' ? 2 : 1;
  }
}
