import { LIMITS } from '@grsai-jobs/jobs';
import { type FieldError, Problem } from '../http/problem.ts';
import { firstOf } from '../http/validate.ts';

/** A line of a batch that cannot become a job. */
export interface BadLine {
  line: number;
  custom_id: string | null;
  errors: readonly FieldError[];
}

const CHUNK = 200;

/** Refuses a batch for `count` bad items, of which `errors` may tell the first only. */
export function refusedItems(count: number, errors: readonly FieldError[]): Problem {
  const items = count === 1 ? 'One item is' : `${count} items are`;
  return new Problem('invalid_request', `${items} not valid, so nothing was accepted; ${firstOf(errors)}`, {
    errors,
    invalidCount: count,
  });
}

/** Gathers the bad lines of one batch: counts all of them, keeps the first, and writes each down where that is asked for. */
export function createBadLines(write: ((lines: readonly BadLine[]) => Promise<void>) | null) {
  const first: BadLine[] = [];
  let told = 0;
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
      if (told < LIMITS.batch.errorsTold) {
        first.push(bad);
        told += bad.errors.length;
      }
      if (write === null) return;
      unwritten.push(bad);
      if (unwritten.length === CHUNK) await flush();
    },

    flush,

    /** For an answer that accepts the other lines. */
    shown: () => ({ count, errors: first.slice(0, LIMITS.batch.linesShown) }),

    /** For an answer that accepts nothing. */
    problem(): Problem {
      if (count === 0) return new Problem('invalid_request', 'The batch has no items; send at least one.', { invalidCount: 0 });
      const errors = first.flatMap(({ errors: wrong, ...at }) => wrong.map((error) => ({ ...at, ...error })));
      return refusedItems(count, errors.slice(0, LIMITS.batch.errorsTold));
    },
  };
}
