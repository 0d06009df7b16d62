import { loadModel } from 'ivit';
import type { Material } from './checks.js';
import type { Read } from './post-report.js';

/** Size of the picture that is made on both sides. */
export const PATTERN = { width: 61, height: 47 } as const;

/** Opaque RGBA pixels of many colors. */
export function patternPixels(): Uint8Array {
  const { width, height } = PATTERN;
  return Uint8Array.from({ length: width * height * 4 }, (_, index) => {
    const [pixel, channel] = [index >> 2, index & 3];
    return channel === 3 ? 255 : (Math.imul(pixel, 37 + 13 * channel) + (pixel >> channel)) & 255;
  });
}

/** What the page with models in workers must find: Node's receipts, without a worker. */
export async function workerExpected(material: Material, read: Read): Promise<Record<string, string>> {
  const model = await loadModel(await read(material.model), { threads: 1 });
  const [made] = await model.run([{ ...PATTERN, data: patternPixels() }]);
  const receipt = JSON.stringify(made?.receipt);
  const expected: Record<string, string> = {
    'receipt of ImageData': receipt,
    'receipt of ImageBitmap': receipt,
    'receipt of VideoFrame': receipt,
    'bitmap and frame are still there': 'true',
    'a closed bitmap': 'E_INPUT',
    threads: '1',
    'a worker that ends itself': 'E_WORKER',
    'a worker without a script': 'E_WORKER',
  };
  for (const path of material.photos) {
    const [result] = await model.run([await read(path)]);
    expected[`receipt of ${path}, Blob`] = JSON.stringify(result?.receipt);
    expected[`receipt of ${path}, URL`] = JSON.stringify(result?.receipt);
  }
  await model.dispose();
  return expected;
}
