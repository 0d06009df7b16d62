/** All that downloading from the hub needs: loaded as one when an `hf:` address is first met. */
export { fetchHubFile, fetchOptionalHubFile } from './fetch-file.js';
export { looksLikeProgram } from './peek.js';
