import { version } from '../package.json';

/** Version of this package, stands beside every receipt. */
export const RUNTIME_VERSION: string = version;
