/** The script of the workers that `ivit/worker` starts. */
import { serveModels } from './worker/serve.js';

serveModels();
