import { readFileSync, writeFileSync } from 'node:fs';

const MIB = 1024 ** 2;

/** Memory of a process in MiB, as the kernel counts it. NaN where there is no /proc. */
export interface Memory {
  /** In use now. */
  readonly rss: number;
  /** The most since its start, or since `peakSince`. */
  readonly peak: number;
}

/** Reads `VmRSS` and `VmHWM` (proc(5)). */
export function memoryOf(pid: number): Memory {
  try {
    return parseStatus(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return { rss: Number.NaN, peak: Number.NaN };
  }
}

/** @param text of /proc/<pid>/status, where sizes are in KiB. */
function parseStatus(text: string): Memory {
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN);
  return { rss: (kib('VmRSS') * 1024) / MIB, peak: (kib('VmHWM') * 1024) / MIB };
}

/** From now on; the function that comes back says how much more than now was in use at the most, in MiB. */
export function peakSince(pid: number): () => number {
  const before = memoryOf(pid).rss;
  try {
    // Sets the peak back to what is in use now (proc(5), clear_refs).
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    return () => Number.NaN;
  }
  return () => memoryOf(pid).peak - before;
}
