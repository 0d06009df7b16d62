/** What `loadModel` is busy with. */
export type LoadProgress =
  | {
      readonly phase: 'download';
      /** Name of the file in its repository, or its URL. */
      readonly file: string;
      /** Bytes that are there, earlier attempts included. */
      readonly loaded: number;
      readonly total: number | undefined;
    }
  | { readonly phase: 'cached'; readonly file: string }
  | { readonly phase: 'read' | 'compile' | 'self-check'; readonly backend?: string };

export type OnProgress = (progress: LoadProgress) => void;
