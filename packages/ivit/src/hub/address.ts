import { IvitError } from '@ivit/program';

/** A repository of the hub, at a revision, and perhaps a file of it. */
export interface HubAddress {
  readonly owner: string;
  readonly name: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  readonly file?: string;
}

const NAME = '[A-Za-z0-9][A-Za-z0-9._-]*';
const ADDRESS = new RegExp(`^hf:(${NAME})/(${NAME})(?:@([A-Za-z0-9._-]+))?(?:/(.+))?$`);

/** Whether a string is meant as a hub address. */
export function isHubAddress(text: string): boolean {
  return text.startsWith('hf:');
}

/**
 * `hf:owner/name`, `hf:owner/name@revision`, `hf:owner/name@revision/path/file.safetensors`.
 *
 * @param revision wins over the default `main`, not over one in the text
 * @throws E_INPUT
 */
export function parseHubAddress(text: string, revision?: string): HubAddress {
  const match = ADDRESS.exec(text);
  const [, owner, name, written, file] = match ?? [];
  const segments = file?.split('/') ?? [];
  if (
    owner === undefined ||
    name === undefined ||
    segments.some((part) => part === '' || part === '.' || part === '..')
  ) {
    throw new IvitError('E_INPUT', `"${text}" is no hub address`, {
      hint: 'Write hf:owner/name, hf:owner/name@revision or hf:owner/name@revision/file.',
    });
  }
  const chosen = written ?? revision ?? 'main';
  return { owner, name, revision: chosen, ...(file === undefined ? {} : { file }) };
}

/** Where the hub serves a file: `{endpoint}/{owner}/{name}/resolve/{revision}/{file}`. */
export function fileUrl(endpoint: string, address: HubAddress, revision: string, file: string): string {
  const path = file.split('/').map(encodeURIComponent).join('/');
  const base = endpoint.replace(/\/+$/, '');
  return `${base}/${address.owner}/${address.name}/resolve/${encodeURIComponent(revision)}/${path}`;
}
