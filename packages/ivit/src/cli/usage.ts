import { type ParseArgsConfig, parseArgs } from 'node:util';
import { IvitError } from '@ivit/program';

export const USAGE = `Usage:
  ivit classify [MODEL] PHOTO…       label photos
  ivit quantize MODEL_DIR|hf:owner/name --calibrate DIR -o FILE
                                     make an integer program of a float ViT
  ivit import CHECKPOINT -o FILE     make the program of a model that I-ViT's code trained
  ivit inspect FILE                  say what a program file holds
  ivit verify [MODEL] PHOTO…         run photos on every backend and compare every value
  ivit doctor [MODEL]                say what runs here, and whether it computes right
  ivit bench [MODEL] [PHOTO]         time loading and labeling on each backend

MODEL is a program file (.safetensors), a folder with one, hf:owner/name or builtin (the default).
PHOTO is a PNG or JPEG file.

classify
  --model MODEL      the model, where its name alone does not tell it from a photo
  --top-k N          answers per photo (5)
  --receipt          print each photo's receipt
  --integrity HASH   sha256-… that the model file must have
quantize
  --calibrate DIR    folder of calibration photos
  -o, --output FILE  program file to write
  --recipe NAME      accurate@1 (default), accurate@2, ptq@1 (of a Swin: default)
                     or paper@1
  --nonlinear LIST   other functions: softmax=pow2|i-vit|i-bert|log2,
                     gelu=exact|i-bert|shift, norm=int16|ptf, joined by commas
  --weight-bits N    bits of the blocks' weights, 2 … 8, or a JSON file of layers
  --size-budget SIZE weights of 4 to 8 bits, layer by layer, until the file fits, e.g. 4MB
  --count N          calibration photos to use (32)
  --seed S           choose them at random by this seed instead of evenly by name
  --heads N          attention heads, where no file of the model tells
  --unknown-below K  answers with a score below K/65536 are "unknown" (0 … 65536)
  --report FILE      write the quantization report there as JSON
import
  -o, --output FILE  program file to write
  --heads N          attention heads of a ViT whose width does not tell them
  --config JSON      file with heads, labels and preprocessing under timm's names, instead of --heads
  --key NAME         key of the state dict in the checkpoint, where it is not model or state_dict
inspect
  --ops              print the program, one op a line
verify
  --model MODEL      as for classify
  --receipt FILE     receipts to check against: of classify --json, or JSON lines
bench
  --threads LIST     numbers of threads to time, e.g. 1,2
  --batch N          photos at once (1)
  --rounds N         times to measure each (5)
classify, quantize, verify, doctor, bench
  --backend NAME     cpu, webgpu or reference (the first that works here)
  --threads N        threads of the cpu backend (1 for quantize and below 8 photos, else its own choice)
all
  --max-pixels N     largest photo to decode (49999999: below 50 megapixels)
  --json             data on stdout as JSON
  --quiet            no progress on stderr
  --cache DIR        cache folder (IVIT_CACHE, or ivit in the system's)
  --no-cache         keep nothing between runs
  --revision REV     branch, tag or commit of an hf: model (main)
  --hf-endpoint URL  hub to download from (IVIT_HF_ENDPOINT, or https://huggingface.co)
  -h, --help, --version

Exit status: 0 done, 1 an error (of one photo too), 2 wrong usage, 3 verify found a difference,
130 interrupted.
`;

/** @throws E_USAGE always */
export function failUsage(message: string): never {
  throw new IvitError('E_USAGE', message, { hint: 'ivit --help lists the commands and options.' });
}

const COMMON = {
  'max-pixels': { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
  cache: { type: 'string' },
  'no-cache': { type: 'boolean' },
  revision: { type: 'string' },
  'hf-endpoint': { type: 'string' },
} as const satisfies ParseArgsConfig['options'];

type Options = NonNullable<ParseArgsConfig['options']>;
type Config<T extends Options> = {
  readonly args: string[];
  readonly options: T & typeof COMMON;
  readonly allowPositionals: true;
  readonly strict: true;
};

/** Options of one command and those of all. @throws E_USAGE */
export function parseCommand<const T extends Options>(
  args: readonly string[],
  options: T,
): ReturnType<typeof parseArgs<Config<T>>> {
  try {
    return parseArgs<Config<T>>({
      args: [...args],
      options: { ...COMMON, ...options },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    if (error instanceof TypeError) failUsage(error.message.replace(/\.$/, ''));
    throw error;
  }
}

/** An integer option. @throws E_USAGE */
export function integerOption(
  text: string | undefined,
  name: string,
  range: { readonly from: number; readonly to: number },
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text) || value < range.from || value > range.to) {
    failUsage(`--${name} must be an integer from ${range.from} to ${range.to}, not "${text}"`);
  }
  return value;
}

/** `--max-pixels`. @throws E_USAGE */
export function maxPixels(values: { readonly 'max-pixels'?: string | undefined }): number | undefined {
  return integerOption(values['max-pixels'], 'max-pixels', { from: 1, to: 1_000_000_000 });
}
