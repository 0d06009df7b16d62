import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Root of the project. */
export const ROOT = fileURLToPath(new URL('../', import.meta.url));

const windows = process.platform === 'win32';
const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const wanted = packageManager.replace('pnpm@', '');

/** Nothing here asks, reports or colours. */
export const ENVIRONMENT = {
  ...process.env,
  CI: process.env.CI ?? 'true',
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
  npm_config_update_notifier: 'false',
  npm_config_fund: 'false',
  npm_config_audit: 'false',
};

function onPath() {
  const found = spawnSync('pnpm', ['--version'], { cwd: ROOT, encoding: 'utf8', env: ENVIRONMENT, shell: windows });
  return found.status === 0 && found.stdout.trim() === wanted;
}

/** The command line that starts the pinned pnpm: the one on PATH where it is that version, npm's runner otherwise. */
export const PNPM = onPath() ? ['pnpm'] : ['npx', '--yes', `pnpm@${wanted}`];

/** Stops with a sentence when this Node is older than the project's packages ask for. */
export function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`ivit needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}

function start(args, environment, output) {
  const [command, ...prefix] = PNPM;
  return spawn(command, [...prefix, ...args], {
    cwd: ROOT,
    env: { ...ENVIRONMENT, ...environment },
    stdio: ['ignore', output, output],
    shell: windows,
  });
}

function exitCode(child, tell) {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      tell(String(error));
      resolve(1);
    });
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** Runs pnpm with these arguments in the root, its output shown; resolves to the exit code (1 for a signal). */
export function pnpm(args, environment = {}) {
  return exitCode(start(args, environment, 'inherit'), (error) => console.error(error));
}

/** The same with its output kept, for what runs beside something else: resolves to the exit code and the text. */
export async function pnpmKept(args) {
  const child = start(args, {}, 'pipe');
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
  }
  const code = await exitCode(child, (error) => {
    text += `${error}\n`;
  });
  return { code, text };
}
