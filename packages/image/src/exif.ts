/** EXIF orientation: 1 upright … 8, as numbered by the tag 0x0112. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;

/**
 * The orientation in a TIFF block (the contents of PNG's `eXIf`, or of JPEG's APP1 after `Exif\0\0`).
 * Anything that is no orientation counts as upright: metadata never makes an image unreadable.
 */
export function readOrientation(tiff: Uint8Array): Orientation {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (view.byteLength < 8) return 1;
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  if (view.getUint16(2, little) !== 42) return 1;
  const directory = view.getUint32(4, little);
  if (directory + 2 > view.byteLength) return 1;
  const entries = view.getUint16(directory, little);
  let value = 1;
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > view.byteLength) break;
    if (view.getUint16(entry, little) !== ORIENTATION_TAG || view.getUint32(entry + 4, little) !== 1) continue;
    const type = view.getUint16(entry + 2, little);
    // SHORT or LONG; a later entry of the same tag wins, as in Pillow.
    if (type === 3) value = view.getUint16(entry + 8, little);
    else if (type === 4) value = view.getUint32(entry + 8, little);
  }
  return isOrientation(value) ? value : 1;
}

function isOrientation(value: number): value is Orientation {
  return value >= 1 && value <= 8;
}
