import { existsSync, readFileSync } from 'node:fs';

/** Peak resident memory of this process in bytes. On Linux from the kernel's own count, which starts at exec. */
export function peakBytes(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const [, kibibytes] = /^VmHWM:\s*(\d+) kB$/m.exec(status) ?? [];
  return 1024 * (kibibytes === undefined ? process.resourceUsage().maxRSS : Number(kibibytes));
}

/** The line that `pnpm bench` reads. */
export function printPeak(): void {
  console.log(`peak ${peakBytes()}`);
}
