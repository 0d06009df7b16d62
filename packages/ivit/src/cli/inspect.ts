import { modelId, printProgram, type ValidatedProgram } from '@ivit/program';
import { readModel } from '../model-source.js';
import { hubOptions } from './hub-options.js';
import type { Io } from './io.js';
import { createProgressLine, showLoading } from './progress.js';
import { readValidated } from './read-validated.js';
import { failUsage, parseCommand } from './usage.js';

/** How many packed weights there are, by their bits; undefined without any. */
function packedWeights(program: ValidatedProgram): ReadonlyMap<number, number> | undefined {
  const counts = new Map<number, number>();
  for (const { bits, data } of Object.values(program.constants)) {
    if (bits !== undefined) counts.set(bits, (counts.get(bits) ?? 0) + data.length);
  }
  return counts.size === 0 ? undefined : counts;
}

function weightText(program: ValidatedProgram): string | undefined {
  const counts = packedWeights(program);
  return counts && [...counts].map(([bits, count]) => `${grouped(count)} of ${bits} bits`).join(', ');
}

/** Everything but the program's ops and tensors. */
function describeProgram(program: ValidatedProgram, fileBytes: number, where: string): Record<string, unknown> {
  const { facts, image, labels, provenance, selfCheck, unknownBelow } = program;
  const packed = packedWeights(program);
  const typeOf = (value: string): object => ({ name: value, ...program.values[value] });
  return {
    file: where,
    fileBytes,
    spec: program.spec,
    model: modelId(program),
    input: typeOf(program.input),
    output: { ...typeOf(program.output), shift: program.outputShift },
    ...(image === undefined ? {} : { image }),
    ...(labels === undefined ? {} : { labels }),
    ...(unknownBelow === undefined ? {} : { unknownBelow }),
    ops: facts.ops,
    opCount: program.ops.length,
    macs: facts.macs,
    constantBytes: facts.constantBytes,
    ...(packed === undefined ? {} : { packedWeights: Object.fromEntries(packed) }),
    valueBytes: facts.valueBytes,
    ...(selfCheck === undefined ? {} : { selfCheck }),
    ...(provenance === undefined ? {} : { provenance }),
  };
}

/** 1234567 → 1,234,567. */
function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

function typeText(program: ValidatedProgram, name: string): string {
  const type = program.values[name];
  return `${name} ${type?.dtype ?? ''} [${type?.shape.join(', ') ?? ''}]`;
}

function rows(program: ValidatedProgram, fileBytes: number, where: string): (readonly [string, string])[] {
  const { facts, image, labels, provenance, selfCheck, unknownBelow } = program;
  const counts = Object.entries(facts.ops).map(([name, count]) => `${name} ${count}`);
  const shown = labels === undefined ? '' : labels.slice(0, 10).join(', ');
  const table: (readonly [string, string | undefined])[] = [
    ['file', `${where}, ${grouped(fileBytes)} bytes`],
    ['spec', program.spec],
    ['model', modelId(program)],
    ['input', typeText(program, program.input)],
    [
      'image',
      image &&
        `shorter side to ${image.resize} (${image.interpolation}), center ${image.crop.height}×${image.crop.width}`,
    ],
    ['output', `${typeText(program, program.output)}, unit 2^-${program.outputShift}`],
    ['labels', labels && `${labels.length}: ${shown}${labels.length > 10 ? ', …' : ''}`],
    ['unknown', unknownBelow === undefined || unknownBelow === 0 ? undefined : `below ${unknownBelow}/65536`],
    ['ops', `${program.ops.length}: ${counts.join(', ')}`],
    ['MACs', grouped(facts.macs)],
    ['bytes', `${grouped(facts.constantBytes)} of constants, ${grouped(facts.valueBytes)} of values per image`],
    ['weights', weightText(program)],
    ['self-check', selfCheck && `seed ${selfCheck.seed}, sha256 ${selfCheck.sha256}`],
    ['recipe', provenance?.recipe],
    ['from', provenance?.architecture],
    ['licence', provenance?.licence],
    ...(provenance?.sources ?? []).map(({ name, sha256 }) => ['source', `${name}, sha256 ${sha256}`] as const),
    ['calibration', provenance?.calibration && `${provenance.calibration.length} photos`],
  ];
  return table.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
}

/** `ivit inspect FILE`. */
export async function inspect(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseCommand(args, { ops: { type: 'boolean' } });
  const [source, ...others] = positionals;
  if (source === undefined || others.length > 0) failUsage('inspect needs one program file');
  const line = createProgressLine(io, values.quiet ?? false);
  const file = await readModel(source, {
    hub: hubOptions(values, io),
    signal: io.signal,
    onProgress: showLoading(line),
  }).finally(() => line.clear());
  const { bytes, where } = file;
  const program = readValidated(file);
  if (values.json) {
    const document = describeProgram(program, bytes.length, where);
    io.out(
      `${JSON.stringify(values.ops ? { ...document, program: printProgram(program) } : document, undefined, 2)}\n`,
    );
    return 0;
  }
  for (const [key, value] of rows(program, bytes.length, where)) io.out(`${key.padEnd(12)}${value}\n`);
  if (values.ops) io.out(`\n${printProgram(program)}`);
  return 0;
}
