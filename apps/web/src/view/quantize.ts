import { type NamedFile, type QuantizedFile, quantize } from 'ivit/worker';
import type { ModelFile } from '../engine.js';
import { bytes, milliseconds } from '../format.js';
import { isAbort } from '../problem.js';
import { element } from './elements.js';
import type { Notice } from './notice.js';

type Recipe = NonNullable<Parameters<typeof quantize>[0]['recipe']>;

const RECIPES: readonly Recipe[] = ['ptq@1', 'paper@1'];
const KNOWN_JSON = ['config.json', 'preprocessor_config.json', 'model.safetensors.index.json'];

/**
 * The files as a model folder holds them: where one JSON file is chosen whose name is not known, it is the configuration.
 */
export function namedFiles(files: readonly File[]): readonly NamedFile[] {
  const known = files.some(({ name }) => name === 'config.json');
  const others = files.filter(({ name }) => name.endsWith('.json') && !KNOWN_JSON.includes(name));
  if (known || others.length !== 1) return files;
  return files.map((file) => (others.includes(file) ? new File([file], 'config.json') : file));
}

/** `deit.safetensors` and ptq@1 → `deit.ptq-1.ivit.safetensors`. */
export function resultName(files: readonly { readonly name: string }[], recipe: string): string {
  const weights = files.find(({ name }) => !name.endsWith('.json'))?.name ?? 'model';
  const stem = weights.replace(/(\.(safetensors|pth|pt|bin|ckpt|tar))+$/i, '') || 'model';
  return `${stem}.${recipe.replaceAll('@', '-')}.ivit.safetensors`;
}

function filesOf(input: HTMLInputElement): File[] {
  return [...(input.files ?? [])];
}

/** Lets the browser keep a file under a name. */
function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Not at once: the browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The form: checkpoint and photos in, an integer model out; the work is in a worker of its own. */
export function createQuantizeView(notice: Notice, onModel: (file: ModelFile) => void): void {
  const form = element('quantize', HTMLFormElement);
  const weights = element('weights', HTMLInputElement);
  const calibration = element('calibration', HTMLInputElement);
  const recipe = element('recipe', HTMLSelectElement);
  const start = element('quantize-start', HTMLButtonElement);
  const stop = element('quantize-stop', HTMLButtonElement);
  const progress = element('quantize-progress', HTMLProgressElement);
  const status = element('quantize-status', HTMLParagraphElement);
  const facts = element('quantize-facts', HTMLParagraphElement);
  const download = element('download', HTMLButtonElement);
  const use = element('use', HTMLButtonElement);
  let running: AbortController | undefined;
  let made: ModelFile | undefined;

  function busy(on: boolean): void {
    start.disabled = on;
    stop.disabled = !on;
    for (const input of [weights, calibration, recipe]) input.disabled = on;
    if (!on) progress.value = 0;
  }

  function forget(): void {
    made = undefined;
    download.disabled = true;
    use.disabled = true;
    facts.textContent = '\u00a0';
  }

  function offer({ bytes: file, model, report }: QuantizedFile, name: string): void {
    made = { name, source: new Blob([Uint8Array.from(file)], { type: 'application/octet-stream' }) };
    download.disabled = false;
    use.disabled = false;
    facts.textContent = `${name} · ${bytes(file.length)} · ${report.recipeId}, ${report.photos} photos · model ${model.slice(0, 12)}…`;
  }

  async function run(controller: AbortController): Promise<void> {
    const files = namedFiles(filesOf(weights));
    const photos = filesOf(calibration);
    const chosen = RECIPES.find((name) => name === recipe.value);
    const began = performance.now();
    forget();
    busy(true);
    status.textContent = 'Starting';
    let stage = '';
    try {
      const result = await quantize({
        ...{ files, photos, recipe: chosen, signal: controller.signal },
        onProgress({ stage: now, done, total }) {
          progress.max = Math.max(total, 1);
          progress.value = total === 0 ? 0 : done;
          // Announced per stage: a reader is not to be told of every photo.
          if (now !== stage) status.textContent = `${now.charAt(0).toUpperCase()}${now.slice(1)}`;
          stage = now;
        },
      });
      offer(result, resultName(files, result.report.recipeId));
      status.textContent = `Done in ${milliseconds(performance.now() - began)}.`;
    } catch (error) {
      status.textContent = isAbort(error) ? 'Stopped. Nothing was kept.' : 'That did not work.';
      if (!isAbort(error)) notice.problem(error);
    }
    busy(false);
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    notice.clear();
    running?.abort();
    running = new AbortController();
    void run(running).then(() => use.disabled || download.focus());
  });
  stop.addEventListener('click', () => {
    running?.abort();
    start.disabled = false;
    start.focus();
  });
  use.addEventListener('click', () => {
    if (made !== undefined) onModel(made);
  });
  download.addEventListener('click', () => {
    if (made !== undefined && made.source !== 'builtin') save(made.source, made.name);
  });
}
