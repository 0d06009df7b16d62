import { decodeImage, preprocess } from '@ivit/image';
import { IvitError, throwIfAborted, type ValidatedProgram } from '@ivit/program';
import type { BytesSource, ImageInput, PrepareOptions, RawImage } from './types.js';

/** Bytes of one image of the program's input value. */
export function inputBytes(program: ValidatedProgram): number {
  const shape = program.values[program.input]?.shape ?? [];
  return shape.reduce((product, size) => product * size, 1);
}

function isBytesSource(input: object): input is BytesSource {
  return 'arrayBuffer' in input && typeof input.arrayBuffer === 'function';
}

interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** `Uint8Array`, `ArrayBuffer`, `Null`…: the built-in type, also of a value of another realm (a frame, a test). */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

function notAnImage(input: unknown, where: string): IvitError {
  return new IvitError('E_INPUT', `A value of type ${kindOf(input)} is no image`, {
    where,
    hint: 'Pass PNG or JPEG bytes, a Blob, or { width, height, data }.',
  });
}

/** RGB copy of RGB or RGBA pixels: alpha is dropped, as Pillow's `convert('RGB')` does. */
function toRgb(image: RawImage, where: string): RgbImage {
  const { width, height, data } = image;
  // Callers without types too: other arrays would be cut to bytes silently.
  if (!['Uint8Array', 'Uint8ClampedArray'].includes(kindOf(data))) {
    throw new IvitError('E_INPUT', 'The pixels are no Uint8Array or Uint8ClampedArray', { where });
  }
  const pixels = width * height;
  const positive = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!positive || (data.length !== pixels * 3 && data.length !== pixels * 4)) {
    throw new IvitError('E_INPUT', `${data.length} bytes are no ${width}×${height} RGB or RGBA pixels`, { where });
  }
  const step = data.length === pixels * 4 ? 4 : 3;
  const rgb = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel++) {
    rgb[pixel * 3] = data[pixel * step] as number;
    rgb[pixel * 3 + 1] = data[pixel * step + 1] as number;
    rgb[pixel * 3 + 2] = data[pixel * step + 2] as number;
  }
  return { width, height, data: rgb };
}

async function decode(input: Uint8Array | ArrayBuffer | BytesSource, options: PreparePixelsOptions): Promise<RgbImage> {
  const { signal, maxPixels, where } = options;
  const source = isBytesSource(input) ? await input.arrayBuffer() : input;
  if (!['Uint8Array', 'ArrayBuffer'].includes(kindOf(source))) throw notAnImage(source, where);
  const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
  return decodeImage(bytes, {
    where,
    ...(signal === undefined ? {} : { signal }),
    ...(maxPixels === undefined ? {} : { maxPixels }),
  });
}

export interface PreparePixelsOptions extends PrepareOptions {
  readonly where: string;
  /** Photos with more pixels are refused. Default: that of `@ivit/image`. */
  readonly maxPixels?: number;
}

/**
 * The input value's bytes of one image, without a backend; see `Model.prepare`.
 *
 * @throws E_ABORTED, E_INPUT, and the codes of `@ivit/image`
 */
export async function preparePixels(
  program: ValidatedProgram,
  input: ImageInput,
  options: PreparePixelsOptions,
): Promise<Uint8Array> {
  throwIfAborted(options.signal, 'Reading', options.where);
  const expected = inputBytes(program);
  const where = options.where;
  if (typeof input !== 'object' || input === null) {
    throw notAnImage(input, where);
  }
  if ('pixels' in input) {
    if (!(input.pixels instanceof Uint8Array) || input.pixels.length !== expected) {
      throw new IvitError('E_INPUT', `Prepared pixels must be ${expected} bytes`, { where });
    }
    return input.pixels;
  }
  const named = 'name' in input && typeof input.name === 'string' && input.name !== '' ? input.name : where;
  const image =
    'width' in input && 'data' in input ? toRgb(input, where) : await decode(input, { ...options, where: named });
  throwIfAborted(options.signal, 'Reading', where);
  const shape = program.values[program.input]?.shape ?? [];
  if (program.image === undefined) {
    if (shape.length !== 3 || shape[0] !== image.height || shape[1] !== image.width || shape[2] !== 3) {
      throw new IvitError('E_INPUT', `The program says nothing about resizing and its input is [${shape}]`, {
        where,
        hint: 'Pass pixels of exactly that size.',
      });
    }
    return image.data;
  }
  const pixels = preprocess(image, program.image);
  if (pixels.length !== expected) {
    throw new IvitError('E_INPUT', `The image rule gives ${pixels.length} bytes, the input value has ${expected}`, {
      where,
    });
  }
  return pixels;
}
