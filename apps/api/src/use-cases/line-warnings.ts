import { LIMITS } from '@grsai-jobs/jobs';
import type { RequestWarning } from './check-request.ts';

/** A line of a batch that was accepted with a value that nobody here knows. */
export interface WarnedLine {
  line: number;
  custom_id: string;
  warnings: readonly RequestWarning[];
}

/** Counts the lines of one batch that are worth a warning, and keeps the first. */
export function createLineWarnings() {
  const lines: WarnedLine[] = [];
  let count = 0;

  return {
    add(warned: WarnedLine): void {
      if (warned.warnings.length === 0) return;
      count += 1;
      if (lines.length < LIMITS.batch.linesShown) lines.push(warned);
    },

    shown: (): { count: number; lines: readonly WarnedLine[] } => ({ count, lines }),
  };
}
