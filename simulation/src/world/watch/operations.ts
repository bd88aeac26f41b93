import type { Peek } from './peek.ts';

/** The longest wait is for the deadline of a batch: a day. */
const DUE_WITHIN_MS = 25 * 3600_000;

/** An operation is due for as long as it is not over, and no longer. */
export function checkOperation(peek: Peek, id: string, now: number, broken: (what: string, about: string) => void): void {
  const due = peek.score('operations', id);
  const isThere = peek.has(`operation:${id}`);
  if (isThere && due === undefined) broken('is under way, and nobody is to go on with it', id);
  if (!isThere && due !== undefined) broken('is over, and due', id);
  if (due !== undefined && due > now + DUE_WITHIN_MS) broken(`is not due before ${new Date(due).getUTCFullYear()}`, id);
}
