import type { InputDescription } from '@ivit/program';
import { seenRegion } from '../crop.js';
import { BUNDLED, type BundledPhoto } from '../photos.js';
import { element, make, within } from './elements.js';

/** What a patch map is drawn from: side² entries, 0 … 255. */
export interface HeatMap {
  readonly side: number;
  readonly values: Uint8ClampedArray;
}

export interface PhotoView {
  /** Shows the part of the photo that the model sees; an undecodable one leaves the frame empty. */
  show(file: File, image: InputDescription | undefined): Promise<void>;
  heat(map: HeatMap | undefined, note: string): void;
}

export interface PhotoEvents {
  onFiles(files: readonly File[]): void;
  onBundled(photo: BundledPhoto): void;
  /** Whether the attention is to be seen. */
  onAttention(on: boolean): void;
}

function listenForDrops(frame: HTMLElement, onFiles: (files: readonly File[]) => void): void {
  const over = (inside: boolean): void => void frame.classList.toggle('over', inside);
  // Anywhere on the page: a file that misses the frame must not replace the page.
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    over(event.target instanceof Node && frame.contains(event.target));
  });
  document.addEventListener('dragleave', () => over(false));
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    over(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) onFiles(files);
  });
}

function addThumbs(onBundled: (photo: BundledPhoto) => void): void {
  const group = element('thumbs', HTMLFieldSetElement);
  for (const photo of BUNDLED) {
    const button = within(group, `[data-photo="${photo.name}"]`, HTMLButtonElement);
    button.append(make('img', { src: photo.url, alt: photo.what, width: '96', height: '96' }));
    button.addEventListener('click', () => onBundled(photo));
  }
}

/** The map as a veil: black where the class token does not look. One pixel per patch; the canvas scales it without smoothing. */
function veil({ side, values }: HeatMap): ImageData {
  const pixels = new Uint8ClampedArray(side * side * 4);
  for (const [patch, value] of values.entries()) pixels[patch * 4 + 3] = 255 - value;
  return new ImageData(pixels, side, side);
}

export function createPhotoView({ onFiles, onBundled, onAttention }: PhotoEvents): PhotoView {
  const photo = element('photo', HTMLCanvasElement);
  const heat = element('heat', HTMLCanvasElement);
  const name = element('photo-name', HTMLParagraphElement);
  const note = element('attention-note', HTMLParagraphElement);
  const file = element('photo-file', HTMLInputElement);
  const on = element('attention-on', HTMLInputElement);
  const opacity = element('attention-opacity', HTMLInputElement);
  const percent = element('attention-percent', HTMLOutputElement);
  let latest = 0;

  const fade = (): void => {
    percent.value = `${opacity.value} %`;
    heat.style.setProperty('opacity', String(Number(opacity.value) / 100));
    heat.hidden = !on.checked;
    opacity.disabled = !on.checked;
  };
  opacity.addEventListener('input', fade);
  on.addEventListener('change', () => {
    fade();
    onAttention(on.checked);
  });
  fade();
  file.addEventListener('change', () => {
    onFiles([...(file.files ?? [])]);
    // The same file may be chosen again.
    file.value = '';
  });
  listenForDrops(element('frame', HTMLElement), onFiles);
  addThumbs(onBundled);

  return {
    async show(shown, image) {
      latest += 1;
      const turn = latest;
      const bitmap = await createImageBitmap(shown).catch(() => undefined);
      if (turn !== latest) return;
      const context = photo.getContext('2d');
      context?.clearRect(0, 0, photo.width, photo.height);
      if (bitmap !== undefined) {
        const { x, y, width, height } = seenRegion(bitmap.width, bitmap.height, image);
        const scale = Math.min(photo.width / width, photo.height / height);
        const [w, h] = [width * scale, height * scale];
        const at = [(photo.width - w) / 2, (photo.height - h) / 2] as const;
        context?.drawImage(bitmap, x, y, width, height, ...at, w, h);
        bitmap.close();
      }
      name.textContent = shown.name;
      photo.setAttribute('aria-label', `${shown.name}, the part that the model sees`);
      for (const thumb of document.querySelectorAll<HTMLButtonElement>('.thumb')) {
        thumb.setAttribute('aria-pressed', String(thumb.dataset['photo'] === shown.name));
      }
    },
    heat(map, text) {
      note.textContent = text;
      const context = heat.getContext('2d');
      if (context === null) return;
      context.clearRect(0, 0, heat.width, heat.height);
      if (map === undefined) return;
      const small = new OffscreenCanvas(map.side, map.side);
      small.getContext('2d')?.putImageData(veil(map), 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(small, 0, 0, heat.width, heat.height);
    },
  };
}

export function wantsAttention(): boolean {
  return element('attention-on', HTMLInputElement).checked;
}
