import type { ModelFile } from './engine.js';
import { BUNDLED, type BundledPhoto, fetchBundled } from './photos.js';
import { createSession, type Session } from './session.js';
import { createAnswersView } from './view/answers.js';
import { createBackendsView } from './view/backends.js';
import { element } from './view/elements.js';
import { BUILTIN, createModelView } from './view/model.js';
import { createNotice } from './view/notice.js';
import { createPhotoView } from './view/photo.js';
import { createQuantizeView } from './view/quantize.js';
import { createReceiptView } from './view/receipt.js';

const notice = createNotice();
const status = element('status', HTMLSpanElement);
const stop = element('stop', HTMLButtonElement);
const verdict = element('verdict', HTMLParagraphElement);

function openModel(file: ModelFile): void {
  model.add(file);
  session.setModel(file);
}

function openFiles(files: readonly File[]): void {
  const weights = files.find(({ name }) => name.endsWith('.safetensors'));
  const [photo] = files.filter((file) => file !== weights);
  if (weights !== undefined) openModel({ name: weights.name, source: weights });
  if (photo !== undefined) session.setPhoto(photo);
}

async function openBundled(bundled: BundledPhoto): Promise<void> {
  try {
    session.setPhoto(await fetchBundled(bundled));
  } catch (error) {
    notice.problem(error);
  }
}

const photo = createPhotoView({
  onFiles: openFiles,
  onBundled: (bundled) => void openBundled(bundled),
  onAttention: () => session.refresh(),
});
const model = createModelView(
  (file) => session.setModel(file),
  (file) => openModel({ name: file.name, source: file }),
);
const session: Session = createSession(
  {
    answers: createAnswersView(),
    backends: createBackendsView(() => session.refresh()),
    model,
    notice,
    photo,
    receipt: createReceiptView((problem) => notice.show(problem)),
    status(text, busy) {
      status.textContent = text;
      stop.disabled = !busy;
    },
    verdict(text, kind) {
      verdict.textContent = text;
      verdict.className = `verdict ${kind}`;
    },
  },
  BUILTIN,
);
stop.addEventListener('click', () => session.stop());
createQuantizeView(notice, (file) => {
  openModel(file);
  element('answers-title', HTMLHeadingElement).focus();
});

const threads = crossOriginIsolated
  ? 'isolated, so WebAssembly runs on several threads'
  : 'not cross-origin isolated, so WebAssembly runs on one thread';
element('environment', HTMLParagraphElement).textContent = `This page is ${threads}.`;

const [first] = BUNDLED;
if (first !== undefined) void openBundled(first);
