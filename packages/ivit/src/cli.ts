import { main } from './cli/main.js';

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // A second one does not wait: temporary files go by the exit handlers.
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error(name));
  });
}
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of a pipe has gone, e.g. `head`.
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  terminal: process.stderr.isTTY === true,
  env: process.env,
  signal: controller.signal,
});
