import { spawn } from 'node:child_process';
import { inRepository } from '../browser/material.js';

interface DoctorReport {
  readonly chosen?: string;
  readonly receiptsEqual: boolean;
  readonly backends: readonly {
    readonly name: string;
    readonly probe: { readonly available: boolean };
    readonly trial?: { readonly selfCheck: string };
    readonly error?: { readonly message: string };
  }[];
}

/** What `ivit doctor` must say where the package `webgpu` is installed and there is an adapter. */
export const DOCTOR_EXPECTED: Readonly<Record<string, string>> = {
  'ivit doctor: cpu': 'passed',
  'ivit doctor: webgpu': 'passed',
  'ivit doctor: reference': 'passed',
  'ivit doctor: receipts equal': 'true',
  'ivit doctor: chosen': 'cpu',
};

async function runDoctor(): Promise<string> {
  const hook = inRepository('tools/src/webgpu/find-webgpu.mjs');
  const patience = inRepository('tools/src/webgpu/patient-polling.mjs');
  const entry = inRepository('packages/ivit/src/cli.ts');
  const flags = ['--conditions=@ivit/source', '--import', 'tsx', '--import', hook, '--import', patience];
  const child = spawn(process.execPath, [...flags, entry, 'doctor', '--json', '--quiet'], {
    cwd: inRepository('tools'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  return text;
}

/** The `ivit` command with the WebGPU backend as a user of Node has it; see `DOCTOR_EXPECTED`. */
export async function doctorFound(): Promise<Record<string, string>> {
  const report = JSON.parse(await runDoctor()) as DoctorReport;
  const found: Record<string, string> = {
    'ivit doctor: receipts equal': String(report.receiptsEqual),
    'ivit doctor: chosen': String(report.chosen),
  };
  for (const { name, probe, trial, error } of report.backends) {
    found[`ivit doctor: ${name}`] = trial?.selfCheck ?? error?.message ?? JSON.stringify(probe);
  }
  return found;
}
