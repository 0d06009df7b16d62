/** An error as the page shows it: its code, what is wrong, and what to do. */
export interface Problem {
  readonly code: string;
  readonly what: string;
  readonly advice: string | undefined;
}

/** What to do here where the error's own hint is about the command or code. */
const ADVICE: Readonly<Record<string, string>> = {
  E_NEEDS_QUANTIZING: 'These weights are floats. Quantize them below, then use the result as the model.',
  E_WORKER: 'Reload the page. If it happens again, close other tabs: the device may be short of memory.',
  E_NO_COMPILE: "The page's policy forbids WebAssembly: its server has to allow 'wasm-unsafe-eval'.",
  E_MODEL_FILE: 'Choose the weights too: one .safetensors or .pth file, beside its config.json.',
  E_CALIBRATION_EMPTY: 'Choose 16 to 64 photos of the kind the model will see.',
};

function text(error: object, key: string): string | undefined {
  const found: unknown = Reflect.get(error, key);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

function sentence(words: string): string {
  const capital = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}

export function problemOf(error: unknown): Problem {
  if (!(error instanceof Error)) return { code: 'E_UNKNOWN', what: sentence(String(error)), advice: undefined };
  const code = text(error, 'code') ?? 'E_UNKNOWN';
  const problem = text(error, 'problem');
  const where = text(error, 'where');
  const what = problem === undefined ? error.message : `${problem}${where === undefined ? '' : ` (${where})`}`;
  const own = problem === undefined ? undefined : text(error, 'hint');
  return { code, what: sentence(what), advice: ADVICE[code] ?? own };
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && text(error, 'code') === 'E_ABORTED';
}
