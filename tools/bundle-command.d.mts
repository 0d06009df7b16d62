export function bundleCommand(entry: string): Promise<{ readonly folder: string; readonly file: string }>;
