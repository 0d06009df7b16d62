import { corrupt, ImageError } from '../error.js';
import { type Orientation, readOrientation } from '../exif.js';
import { divCeil } from '../integer.js';
import { checkSize, type DecodeOptions } from '../pixels.js';
import { type Component, type Frame, NATURAL_ORDER, type Scan, type ScanComponent } from './frame.js';
import { buildHuffmanTable, type HuffmanTable } from './huffman.js';

/** What the segments read so far say. */
export interface Headers {
  readonly quantizers: (Int32Array | undefined)[];
  readonly dcTables: (HuffmanTable | undefined)[];
  readonly acTables: (HuffmanTable | undefined)[];
  restartInterval: number;
  frame: Frame | undefined;
  orientation: Orientation | undefined;
  hasJfif: boolean;
  /** Color transform of Adobe's APP14 segment. */
  adobeTransform: number | undefined;
}

export function noHeaders(): Headers {
  return {
    quantizers: [],
    dcTables: [],
    acTables: [],
    restartInterval: 0,
    frame: undefined,
    orientation: undefined,
    hasJfif: false,
    adobeTransform: undefined,
  };
}

/** Where the scan's data begins, or undefined at the end of the image. */
export interface NextScan {
  readonly scan: Scan;
  readonly position: number;
}

/** Reads segments from `position` on, up to and with the next scan header, or to the end of the image. */
export function readSegments(
  bytes: Uint8Array,
  position: number,
  headers: Headers,
  options: DecodeOptions,
): NextScan | undefined {
  const { where } = options;
  let at = position;
  for (;;) {
    // Bytes that belong to nothing are passed over, as all decoders do.
    while (at + 1 < bytes.length && !(bytes[at] === 0xff && bytes[at + 1] !== 0 && bytes[at + 1] !== 0xff)) at++;
    if (at + 1 >= bytes.length) throw corrupt('The JPEG file ends before its end-of-image marker', where);
    const marker = bytes[at + 1] as number;
    if (marker === 0xd9) return undefined;
    // Restart markers, start of image, TEM: no contents.
    if ((marker >= 0xd0 && marker <= 0xd8) || marker === 0x01) {
      at += 2;
      continue;
    }
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length)
      throw corrupt(`The JPEG segment at byte ${at} has an impossible length`, where);
    const contents = bytes.subarray(at + 4, end);
    if (marker === 0xda) return { scan: readScanHeader(contents, headers, where), position: end };
    readSegment(marker, contents, headers, options);
    at = end;
  }
}

function readSegment(marker: number, contents: Uint8Array, headers: Headers, options: DecodeOptions): void {
  const { where } = options;
  switch (marker) {
    case 0xc0:
    case 0xc1:
    case 0xc2:
      if (headers.frame !== undefined) throw corrupt('The JPEG file has two frame headers', where);
      headers.frame = readFrameHeader(contents, marker === 0xc2, options);
      return;
    case 0xc4:
      readHuffmanTables(contents, headers, where);
      return;
    case 0xdb:
      readQuantizers(contents, headers, where);
      return;
    case 0xdd:
      if (contents.length !== 2) throw corrupt('The restart interval of the JPEG file is malformed', where);
      headers.restartInterval = word(contents, 0);
      return;
    case 0xe0:
      if (contents.length >= 14 && hasText(contents, 'JFIF\0')) headers.hasJfif = true;
      return;
    case 0xe1:
      if (hasText(contents, 'Exif\0\0')) headers.orientation ??= readOrientation(contents.subarray(6));
      return;
    case 0xee:
      if (contents.length >= 12 && hasText(contents, 'Adobe')) headers.adobeTransform = contents[11] as number;
      return;
    case 0xdc:
      throw unsupported('The JPEG file gives its height after its data (DNL)', where);
    case 0xcc:
      throw unsupported('The JPEG file uses arithmetic coding', where, 'E_JPEG_ARITHMETIC');
  }
  if (marker >= 0xc3 && marker <= 0xcf) throw refusedFrame(marker, where);
}

function refusedFrame(marker: number, where: string | undefined): ImageError {
  if (marker === 0xc3) return unsupported('The JPEG file is coded losslessly', where, 'E_JPEG_LOSSLESS');
  if (marker === 0xc9 || marker === 0xca) {
    return unsupported('The JPEG file uses arithmetic coding', where, 'E_JPEG_ARITHMETIC');
  }
  return unsupported(`The JPEG file uses process ${marker - 0xc0}`, where);
}

function unsupported(message: string, where: string | undefined, code = 'E_JPEG_UNSUPPORTED'): ImageError {
  return new ImageError(code, message, { where, hint: 'Save the image anew as baseline or progressive 8-bit JPEG.' });
}

function readFrameHeader(contents: Uint8Array, progressive: boolean, options: DecodeOptions): Frame {
  const { where } = options;
  const count = contents[5] ?? 0;
  if (contents.length !== 6 + 3 * count) throw corrupt('The frame header of the JPEG file is malformed', where);
  if (contents[0] !== 8) {
    throw unsupported(`The JPEG file has ${contents[0]} bits per sample`, where, 'E_JPEG_PRECISION');
  }
  const height = word(contents, 1);
  const width = word(contents, 3);
  if (width === 0) throw corrupt('The JPEG file has no width', where);
  if (height === 0) throw unsupported('The JPEG file gives its height after its data (DNL)', where);
  if (count !== 1 && count !== 3 && count !== 4) throw unsupported(`The JPEG file has ${count} components`, where);
  checkSize(width, height, options);

  let maxH = 1;
  let maxV = 1;
  for (let i = 0; i < count; i++) {
    const sampling = contents[7 + 3 * i] as number;
    const h = sampling >> 4;
    const v = sampling & 15;
    if (h < 1 || h > 4 || v < 1 || v > 4) throw corrupt('The JPEG file has an impossible sampling factor', where);
    maxH = Math.max(maxH, h);
    maxV = Math.max(maxV, v);
  }
  const mcusWide = divCeil(width, 8 * maxH);
  const mcusHigh = divCeil(height, 8 * maxV);
  const components: Component[] = [];
  for (let i = 0; i < count; i++) {
    const id = contents[6 + 3 * i] as number;
    const sampling = contents[7 + 3 * i] as number;
    const h = sampling >> 4;
    const v = sampling & 15;
    if (maxH % h !== 0 || maxV % v !== 0) throw unsupported('The JPEG file uses a fractional sampling ratio', where);
    if (components.some((other) => other.id === id)) throw corrupt('Two JPEG components have the same number', where);
    components.push({
      id,
      h,
      v,
      quantizer: contents[8 + 3 * i] as number,
      width: divCeil(width * h, maxH),
      height: divCeil(height * v, maxV),
      blocksWide: divCeil(width * h, 8 * maxH),
      blocksHigh: divCeil(height * v, 8 * maxV),
      blockStride: mcusWide * h,
      plane: new Uint8Array(0),
      coefficients: new Int16Array(0),
      steps: undefined,
      lowestBit: new Int8Array(64).fill(-1),
    });
  }
  return { width, height, progressive, components, maxH, maxV, mcusWide, mcusHigh };
}

function readHuffmanTables(contents: Uint8Array, headers: Headers, where: string | undefined): void {
  let at = 0;
  while (at < contents.length) {
    const kind = contents[at] as number;
    const counts = contents.subarray(at + 1, at + 17);
    let total = 0;
    for (const count of counts) total += count;
    const end = at + 17 + total;
    if (end > contents.length || total > 256 || (kind & 15) > 3 || kind >> 4 > 1) {
      throw corrupt('A Huffman table of the JPEG file is malformed', where);
    }
    const table = buildHuffmanTable(counts, contents.slice(at + 17, end), where);
    (kind >> 4 === 0 ? headers.dcTables : headers.acTables)[kind & 15] = table;
    at = end;
  }
}

function readQuantizers(contents: Uint8Array, headers: Headers, where: string | undefined): void {
  let at = 0;
  while (at < contents.length) {
    const kind = contents[at] as number;
    const bytesPerStep = kind >> 4 === 0 ? 1 : 2;
    const end = at + 1 + 64 * bytesPerStep;
    if (end > contents.length || (kind & 15) > 3 || kind >> 4 > 1) {
      throw corrupt('A quantization table of the JPEG file is malformed', where);
    }
    const steps = new Int32Array(64);
    for (let k = 0; k < 64; k++) {
      const from = at + 1 + k * bytesPerStep;
      steps[NATURAL_ORDER[k] as number] = bytesPerStep === 1 ? (contents[from] as number) : word(contents, from);
    }
    headers.quantizers[kind & 15] = steps;
    at = end;
  }
}

function readScanHeader(contents: Uint8Array, headers: Headers, where: string | undefined): Scan {
  const { frame } = headers;
  if (frame === undefined) throw corrupt('The JPEG file has data before its frame header', where);
  const count = contents[0] ?? 0;
  if (count < 1 || count > 4 || contents.length !== 4 + 2 * count) {
    throw corrupt('A scan header of the JPEG file is malformed', where);
  }
  const components: ScanComponent[] = [];
  let blocks = 0;
  for (let i = 0; i < count; i++) {
    const component = frame.components.find(({ id }) => id === contents[1 + 2 * i]);
    if (component === undefined || components.some((other) => other.component === component)) {
      throw corrupt('A scan header of the JPEG file names a component wrongly', where);
    }
    const tables = contents[2 + 2 * i] as number;
    // Saved at the component's first scan: a later one may bring new tables for others.
    component.steps ??= headers.quantizers[component.quantizer];
    blocks += component.h * component.v;
    components.push({
      component,
      dcTable: headers.dcTables[tables >> 4],
      acTable: headers.acTables[tables & 15],
      prediction: 0,
    });
  }
  // B.2.3: at most 10 blocks in an MCU.
  if (count > 1 && blocks > 10) throw corrupt('The JPEG file has too many blocks in an MCU', where);
  const approximation = contents[3 + 2 * count] as number;
  const scan: Scan = {
    components,
    first: contents[1 + 2 * count] as number,
    last: contents[2 + 2 * count] as number,
    high: approximation >> 4,
    low: approximation & 15,
    restartInterval: headers.restartInterval,
  };
  checkProgress(frame, scan, where);
  return scan;
}

/** Each scan must bring something new: the next bit of what is there, or what is not there yet. */
function checkProgress(frame: Frame, scan: Scan, where: string | undefined): void {
  const { first, last, high, low } = scan;
  if (!frame.progressive) {
    for (const { component } of scan.components) {
      if (component.lowestBit[0] !== -1) throw corrupt('The JPEG file codes a component twice', where);
      component.lowestBit.fill(0);
    }
    return;
  }
  const isBand = first === 0 ? last === 0 : first <= last && last <= 63 && scan.components.length === 1;
  if (!isBand || low > 13 || (high !== 0 && low !== high - 1)) {
    throw corrupt('The JPEG file has an impossible progressive scan', where);
  }
  for (const { component } of scan.components) {
    if (first > 0 && component.lowestBit[0] === -1)
      throw corrupt('A JPEG component has details before its mean', where);
    for (let k = first; k <= last; k++) {
      const known = component.lowestBit[k] as number;
      if (high === 0 ? known !== -1 : known !== high) {
        throw corrupt('The JPEG file repeats or leaves out a progressive scan', where);
      }
      component.lowestBit[k] = low;
    }
  }
}

function word(contents: Uint8Array, at: number): number {
  return ((contents[at] as number) << 8) | (contents[at + 1] as number);
}

function hasText(contents: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (contents[i] !== text.charCodeAt(i)) return false;
  return true;
}
