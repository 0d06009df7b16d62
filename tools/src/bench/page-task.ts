/** What the page of `pnpm bench` runs: the task fetched from its own server, which gets the result. */
import type { Task } from './measure.js';
import { perform } from './subjects.js';

async function report(): Promise<unknown> {
  try {
    if (typeof SharedArrayBuffer === 'undefined') throw new Error('the page is not cross-origin isolated: no threads');
    const task = (await (await fetch('/task.json')).json()) as Task;
    const result = await perform(task, {
      // The server knows: the browser names itself in its requests.
      engine: '',
      read: async (file) => new Uint8Array(await (await fetch(file)).arrayBuffer()),
      loadOrt: async (url) => {
        const ort = await import(url);
        ort.env.wasm.wasmPaths = new URL('/ort/', import.meta.url).href;
        return ort;
      },
    });
    return { result };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

const body = JSON.stringify(await report());
await fetch('/result', { method: 'POST', body });
