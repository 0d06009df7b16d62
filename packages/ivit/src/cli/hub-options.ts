import type { HubOptions } from '../types.js';
import type { Io } from './io.js';
import { failUsage } from './usage.js';

/** The options of all commands, as `parseCommand` gives them. */
export interface CommonValues {
  readonly cache?: string | undefined;
  readonly 'no-cache'?: boolean | undefined;
  readonly revision?: string | undefined;
  readonly 'hf-endpoint'?: string | undefined;
}

/** @throws E_USAGE for an endpoint that is no http(s) URL */
export function hubOptions(values: CommonValues, io: Io): HubOptions {
  const endpoint = values['hf-endpoint'] ?? io.env['IVIT_HF_ENDPOINT'];
  if (endpoint !== undefined && !/^https?:\/\/[^/]/.test(endpoint)) {
    failUsage(`The hub's address must begin with http:// or https://, not "${endpoint}"`);
  }
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(values.revision === undefined ? {} : { revision: values.revision }),
    ...(values['no-cache'] ? { cache: false } : values.cache === undefined ? {} : { cache: values.cache }),
  };
}
