const SAVE = 'torch.save(torch.load(OLD, map_location="cpu", weights_only=True), NEW)';

/** What the bytes are that are no torch archive, and what to do about it. */
export interface Foreign {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

function startsWith(bytes: Uint8Array, ...start: number[]): boolean {
  return start.every((byte, at) => bytes[at] === byte);
}

function textAt(bytes: Uint8Array, at: number, text: string): boolean {
  return [...text].every((letter, index) => bytes[at + index] === letter.charCodeAt(0));
}

/** Whether these bytes begin as a ZIP archive. */
export function isZip(bytes: Uint8Array): boolean {
  return startsWith(bytes, 0x50, 0x4b, 0x03, 0x04);
}

/** PROTO 2, LONG1 of 10 bytes 0x1950a86a20f9469cfc6c, STOP: how torch marked its files before version 1.6. */
const LEGACY = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/** Says what a file is that does not begin as an archive. */
export function describeForeign(bytes: Uint8Array): Foreign {
  if (startsWith(bytes, ...LEGACY)) {
    return {
      code: 'E_TORCH_LEGACY',
      message: 'this is a checkpoint in the format that torch wrote before version 1.6',
      hint: `Write it again with a current torch, in Python: ${SAVE}`,
    };
  }
  if (textAt(bytes, 257, 'ustar')) {
    return {
      code: 'E_TORCH_TAR',
      message: 'this is a tar archive',
      hint: `Unpack the checkpoint from it; where it is itself torch's oldest format, write it again, in Python: ${SAVE}`,
    };
  }
  if (startsWith(bytes, 0x80) && (bytes[1] ?? 0) >= 1 && (bytes[1] ?? 0) <= 5) {
    return {
      code: 'E_TORCH_LEGACY',
      message: 'this is a bare pickle, not an archive of torch.save',
      hint: `Make sure that you trust it, then write it again with torch, in Python: ${SAVE}`,
    };
  }
  if (startsWith(bytes, 0x1f, 0x8b) || startsWith(bytes, 0x42, 0x5a, 0x68) || startsWith(bytes, 0xfd, 0x37, 0x7a)) {
    return { code: 'E_TORCH_COMPRESSED', message: 'the file is compressed', hint: 'Decompress it first.' };
  }
  return {
    code: 'E_TORCH_FORMAT',
    message: 'this is no checkpoint: it does not begin as the ZIP archive that torch.save writes',
    hint: 'Check that the download is complete and is no web page.',
  };
}
