import type { Peek } from './peek.ts';

/** A batch of which nobody sees anything: its lines are coming in, or are being removed. */
export const isHidden = (peek: Peek, batch: string): boolean =>
  ['validating', 'discarding'].includes(peek.fields(`batch:${batch}`).get('st') ?? '');

/** Where lines of a batch stand that have still to be let in, for one queue. */
const listsOf = (peek: Peek, batch: string, queue: string): (readonly string[])[] =>
  [0, 1, 2].map((rank) => peek.list(`batch:${batch}:lines:${queue}:${rank}`));

/** Whether a job stands among the lines that its batch has left. */
export const isLeft = (peek: Peek, batch: string, queue: string, id: string): boolean =>
  listsOf(peek, batch, queue).some((list) => list.includes(id));

/** What a batch has left is counted for its tenant, and waits in a room unless it is being canceled. */
export function checkLines(peek: Peek, batch: string, broken: (what: string, about: string) => void): void {
  const fields = peek.fields(`batch:${batch}`);
  if (fields.get('st') === undefined || isHidden(peek, batch)) return;
  const tenant = fields.get('tenant') ?? '';
  let left = 0;
  for (const queue of ['call', 'submit'])
    for (const [rank, { length }] of listsOf(peek, batch, queue).entries()) {
      left += length;
      const waits = peek.score(`waiting:${queue}:${tenant}:batches`, `${batch} ${rank}`) !== undefined;
      if (length > 0 && !waits && fields.get('st') === 'running')
        broken(`has ${length} lines left for ${queue}, and is in no room`, batch);
      if (length === 0 && waits) broken(`has no lines left for ${queue}, and is in a room`, batch);
      if (waits && peek.score(`waiting:${queue}`, tenant) === undefined) broken('is in a room, and nobody lets it in', batch);
    }
  const counted = Number(peek.fields(`waiting:#lines:${tenant}`).get(batch) ?? 0);
  if (counted !== left) broken(`has ${left} lines left, and ${counted} are counted`, batch);
}
