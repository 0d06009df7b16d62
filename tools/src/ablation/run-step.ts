import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend } from '@ivit/backend';
import { writeProgram } from '@ivit/formats/program';
import { vitForward } from '@ivit/models';
import { modelId, type Program, validate } from '@ivit/program';
import { quantizeVit } from '@ivit/quantize';
import { openFloatCache } from '../accuracy/float-cache.js';
import { type Metrics, measure, type Scored } from '../accuracy/metrics.js';
import type { Material } from './material.js';
import type { Step } from './steps.js';

/** What one step gives on one model. */
export interface StepResult {
  readonly step: string;
  readonly title: string;
  /** As the program records it. */
  readonly recipe: string;
  readonly model: string;
  /** Of the integer program. */
  readonly id: string;
  readonly bytes: number;
  /** Processor time of quantization. */
  readonly quantizeSeconds: number;
  readonly metrics: Metrics;
}

/** A finished step: its figures and where its program is. */
export interface FinishedStep {
  readonly result: StepResult;
  readonly file: string;
}

/** Measures a program's logits against the float model's. */
export async function measureProgram(backend: Backend, program: Program, material: Material): Promise<Metrics> {
  const { weights, photos } = material;
  const floats = openFloatCache(weights);
  const executable = await backend.compile(validate(program), { maxBatch: 1 });
  const unit = 2 ** -program.outputShift;
  const scored: Scored[] = [];
  try {
    for (const { sha256, label, pixels } of photos) {
      let float = floats.get(sha256);
      if (float === undefined) {
        float = vitForward(weights, pixels);
        floats.put(sha256, float);
      }
      const output = (await executable.run(pixels, { batch: 1 }))[program.output];
      scored.push({ label, float, integer: Float64Array.from(output?.data ?? [], (logit) => logit * unit) });
    }
  } finally {
    await executable.dispose();
  }
  return measure(scored);
}

/**
 * Quantizes and measures one step, or takes its result from the folder where an earlier run left it.
 *
 * @param code what the integers depend on besides step and material: a digest of the sources.
 */
export async function runStep(
  backend: Backend,
  step: Step,
  material: Material,
  folder: string,
  code: string,
): Promise<FinishedStep> {
  const { name, weights, calibration, photos } = material;
  const identity = [code, step, name, weights.sources, calibration.map((p) => p.sha256), photos.map((p) => p.sha256)];
  const key = createHash('sha256').update(JSON.stringify(identity)).digest('hex');
  const file = join(folder, `${key}.safetensors`);
  const resultFile = join(folder, `${key}.json`);
  if (existsSync(resultFile) && existsSync(file)) {
    return { result: JSON.parse(readFileSync(resultFile, 'utf8')) as StepResult, file };
  }
  const started = process.cpuUsage();
  const { changes, nonlinear, recipe } = step;
  const { program } = await quantizeVit({
    weights,
    photos: calibration,
    backend,
    recipe,
    ...(changes === undefined ? {} : { changes }),
    ...(nonlinear === undefined ? {} : { nonlinear }),
  });
  const { user, system } = process.cpuUsage(started);
  const bytes = writeProgram(program);
  const result: StepResult = {
    step: step.id,
    title: step.title,
    recipe: program.provenance?.recipe ?? '',
    model: name,
    id: modelId(program),
    bytes: bytes.length,
    quantizeSeconds: (user + system) / 1e6,
    metrics: await measureProgram(backend, program, material),
  };
  mkdirSync(folder, { recursive: true });
  writeWhole(file, bytes);
  writeWhole(resultFile, new TextEncoder().encode(JSON.stringify(result)));
  return { result, file };
}

function writeWhole(path: string, bytes: Uint8Array): void {
  const partial = `${path}.${process.pid}`;
  writeFileSync(partial, bytes);
  renameSync(partial, path);
}
