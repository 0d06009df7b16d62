import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { IvitError } from '@ivit/program';

const ORT_VERSION = '1.30.0';
const NODE_VERSION = '24.21.0';

/** Installs exact versions below the cache folder, without their install scripts; no dependencies of the project. */
function install(folder: string, packages: readonly string[], proof: string): void {
  if (existsSync(join(folder, proof))) return;
  mkdirSync(folder, { recursive: true });
  console.error(`installing ${packages.join(' and ')}: once`);
  const { status, error } = spawnSync(
    'npm',
    ['install', '--silent', '--no-save', '--ignore-scripts', '--prefix', folder, ...packages],
    { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' },
  );
  if (status === 0 && existsSync(join(folder, proof))) return;
  throw new IvitError('E_PEERS', `npm install ended with ${error?.message ?? `code ${status}`}`, {
    where: packages.join(' '),
    hint: 'The peers come from the package registry when they are first needed.',
  });
}

export interface Peers {
  /** Folder of onnxruntime-web's files. */
  readonly webFolder: string;
  /** Module URL of onnxruntime-web for Node. */
  readonly web: string;
  /** Module URL of onnxruntime-node. */
  readonly node: string;
  readonly versions: { readonly 'onnxruntime-web': string; readonly 'onnxruntime-node': string };
}

/** The folder that `installPeers` fills; it may not be there yet. */
export function peersFolder(cache: string): string {
  return join(cache, `ort-${ORT_VERSION}`);
}

/** @throws IvitError E_PEERS */
export function installPeers(cache: string): Peers {
  const folder = peersFolder(cache);
  const modules = join(folder, 'node_modules');
  const packages = [`onnxruntime-web@${ORT_VERSION}`, `onnxruntime-node@${ORT_VERSION}`];
  install(folder, packages, 'node_modules/onnxruntime-node/package.json');
  const version = (name: string): string => {
    const manifest: unknown = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
    return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '?';
  };
  const webFolder = join(modules, 'onnxruntime-web', 'dist');
  return {
    webFolder,
    web: pathToFileURL(join(webFolder, 'ort.node.min.mjs')).href,
    node: pathToFileURL(createRequire(join(folder, 'from.js')).resolve('onnxruntime-node')).href,
    versions: { 'onnxruntime-web': version('onnxruntime-web'), 'onnxruntime-node': version('onnxruntime-node') },
  };
}

/** The Node 24 program. @throws IvitError E_PEERS */
export function installNode24(cache: string): string {
  const folder = join(cache, `node-${NODE_VERSION}`);
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const program = `node_modules/${name}/bin/node${process.platform === 'win32' ? '.exe' : ''}`;
  install(folder, [`${name}@${NODE_VERSION}`], program);
  return join(folder, program);
}
