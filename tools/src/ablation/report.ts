import type { Estimate } from '../accuracy/metrics.js';
import type { StepResult } from './run-step.js';
import type { Time } from './times.js';

/** One row of the table. */
export interface Row extends StepResult {
  readonly time: Time;
}

/** All steps of one model. */
export interface ModelReport {
  readonly model: string;
  readonly about: string;
  readonly rows: readonly Row[];
}

export interface AblationReport {
  readonly date: string;
  readonly machine: string;
  readonly models: readonly ModelReport[];
}

const percent = ({ value, error }: Estimate): string => `${(100 * value).toFixed(1)} ± ${(100 * error).toFixed(1)}`;
const decibels = ({ value, error }: Estimate): string => `${value.toFixed(2)} ± ${error.toFixed(2)}`;

function tableOf({ model, about, rows }: ModelReport): string[] {
  const float = rows[0]?.metrics.floatTop1;
  return [
    `## ${model}`,
    '',
    `${about}. Float top-1 ${float === undefined ? '' : percent(float)} %.`,
    '',
    '| step | top-1 % | agreement % | logits SQNR dB | file bytes | ms per photo, min / median | over `ptq@1` | quantize s |',
    '|---|---|---|---|---|---|---|---|',
    ...rows.map(({ title, metrics, bytes, time, quantizeSeconds }) => {
      const milliseconds = `${time.minMilliseconds.toFixed(2)} / ${time.medianMilliseconds.toFixed(2)}`;
      return `| ${title} | ${percent(metrics.intTop1)} | ${percent(metrics.agreement)} | ${decibels(metrics.sqnr)} | ${bytes} | ${milliseconds} | ${time.overBase.toFixed(3)} | ${quantizeSeconds.toFixed(0)} |`;
    }),
    '',
  ];
}

/** The page `docs/measurements/ablation.md`, from results alone. */
export function pageOf({ date, machine, models }: AblationReport): string {
  return [
    '# Ablation: from plain I-ViT to the best recipe',
    '',
    `Written by \`pnpm ablation\` on ${date}, ${machine}. Each step keeps those above it, but the one that says "instead", which stands on \`ptq@1\` as the one above it does. Errors are one standard error (binomial; jackknife for the SQNR). Figures of one`,
    'model share photos, so that differences between steps are surer than the errors say. Times are of one thread of the CPU backend, all programs in turn in one process;',
    '"over" is the median over rounds of the time against that of `ptq@1` in the same round. Quantization is processor time. The same in JSON: [ablation.json](ablation.json).',
    '',
    '![SQNR by step](ablation.svg)',
    '',
    ...models.flatMap(tableOf),
  ].join('\n');
}
