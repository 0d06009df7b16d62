/** One file of an archive; all offsets are bytes of the archive file, all claims checked against each other. */
export interface ZipEntry {
  readonly name: string;
  /** 0 stored, 8 deflate. */
  readonly method: 0 | 8;
  /** CRC-32 of the content. */
  readonly crc: number;
  /** Bytes in the archive. */
  readonly packed: number;
  /** Bytes of the content. */
  readonly size: number;
  /** First byte of the packed content. */
  readonly offset: number;
}

export interface ZipLimits {
  /** Files in the archive; 100,000. */
  readonly entries: number;
  /** Bytes that one archive may unpack to, over all deflated files that are read: 64 MiB or 20 times its size. */
  readonly inflatedBytes: number | undefined;
}

export interface ReadZipOptions {
  /** What to call these bytes in errors, e.g. the file's name. */
  readonly where?: string;
  readonly limits?: Partial<ZipLimits>;
}

export interface ZipArchive {
  /** By name, in the order of the directory; folders are left out. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /**
   * The content, checked against its CRC-32: a window on the archive where it is stored, fresh memory where it is deflated.
   *
   * @throws IvitError `E_ZIP_CRC`, `E_ZIP_DEFLATE`, `E_ZIP_LIMIT`
   */
  readonly read: (entry: ZipEntry) => Uint8Array;
}

/** Throws a coded error at a byte of the archive. */
export type ZipRefuse = (code: string, message: string, at: number, hint: string) => never;

export const DAMAGED = 'The file is cut short or damaged: get it again and compare its sha256 with the one published.';
export const ODD = 'No tool that writes model files makes such an archive: do not trust it.';
