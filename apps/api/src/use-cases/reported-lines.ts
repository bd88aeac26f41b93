import { LIMITS } from '@grsai-jobs/jobs';
import type { FieldError } from '../validation/validate.ts';
import type { RequestWarning } from './check-request.ts';

/** A line of a batch that cannot become a job. */
export interface BadLine {
  line: number;
  custom_id: string | null;
  errors: readonly FieldError[];
}

const CHUNK = 200;

/** Gathers the bad lines of one batch: counts all of them, keeps the first, and writes each down where that is asked for. */
export function createBadLines(write: ((lines: readonly BadLine[]) => Promise<void>) | null) {
  const first: BadLine[] = [];
  let reported = 0;
  let count = 0;
  let unwritten: BadLine[] = [];

  async function flush(): Promise<void> {
    const lines = unwritten;
    unwritten = [];
    if (write !== null && lines.length > 0) await write(lines);
  }

  return {
    count: () => count,

    async add(bad: BadLine): Promise<void> {
      count += 1;
      if (reported < LIMITS.batch.errorsReported) {
        first.push(bad);
        reported += bad.errors.length;
      }
      if (write === null) return;
      unwritten.push(bad);
      if (unwritten.length === CHUNK) await flush();
    },

    flush,

    /** For an answer that accepts the other lines. */
    shown: () => ({ count, errors: first.slice(0, LIMITS.batch.linesShown) }),

    /** For an answer that accepts nothing: what is wrong, field by field. */
    errors: (): FieldError[] =>
      first
        .flatMap(({ errors: wrong, ...at }) => wrong.map((error) => ({ ...at, ...error })))
        .slice(0, LIMITS.batch.errorsReported),
  };
}

/** A line of a batch that was accepted and may come to nothing. */
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
