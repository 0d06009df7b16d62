/** What a command talks to. */
export interface Io {
  /** Data. */
  out(text: string): void;
  /** Progress and errors. */
  err(text: string): void;
  /** Whether stderr is a terminal that can redraw a line. */
  readonly terminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}
