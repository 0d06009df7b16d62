import { fileURLToPath } from 'node:url';
import { readArguments, USAGE } from './arguments.js';
import { csv } from './csv.js';
import { describeError } from './errors.js';
import { jsonLines } from './json-lines.js';
import { labelFolder } from './label-folder.js';
import { createProgress, type Screen, summary } from './progress.js';
import { runWorker } from './worker.js';

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const screen: Screen = {
    terminal: process.stderr.isTTY === true,
    write: (text) => process.stderr.write(text),
  };
  try {
    const options = readArguments(args, process.env['INIT_CWD'] ?? process.cwd());
    const { model, threads, topK, maxPixels } = options;
    const progress = createProgress(screen, options.quiet);
    const result = await labelFolder({
      ...options,
      format: options.jsonLines ? jsonLines() : csv(topK),
      script: fileURLToPath(import.meta.url),
      load: { type: 'load', model, threads, topK, maxPixels },
      signal,
      onSkipped: (message) => screen.write(`label-folder: ${message}\n`),
      onProgress: (tally) => progress.update(tally),
    }).finally(() => progress.clear());
    screen.write(summary(result));
    return result.interrupted ? 130 : result.errors > 0 ? 1 : 0;
  } catch (error) {
    const { code, message } = describeError(error);
    screen.write(`label-folder: ${code}: ${message}\n`);
    return code === 'E_USAGE' ? 2 : 1;
  }
}

if (process.argv.includes('--worker')) {
  runWorker();
} else {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      // A second one does not wait. What was written is taken up by the next run.
      if (controller.signal.aborted) process.exit(130);
      controller.abort(new Error(name));
    });
  }
  process.exitCode = await run(process.argv.slice(2), controller.signal);
}
