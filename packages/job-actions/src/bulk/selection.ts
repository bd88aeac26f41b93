import type { BulkCursor, BulkOrder, Cursor, JobStore } from '@grsai-jobs/job-store';

/** A job that is meant, and the cursor behind which the next one stands. */
export interface Meant {
  id: string;
  at: Cursor | number;
}

/** The next jobs that an order means, in an order that its own doing does not change. `next`: where to go on; `null`: that was all. */
export async function nextMeant(
  list: Pick<JobStore['list'], 'cursors'>,
  { select }: Pick<BulkOrder, 'select'>,
  at: BulkCursor,
  limit: number,
): Promise<{ meant: Meant[]; next: BulkCursor }> {
  if ('ids' in select) {
    const from = typeof at === 'number' ? at : 0;
    const meant = select.ids.slice(from, from + limit).map((id, i) => ({ id, at: from + i + 1 }));
    return { meant, next: from + limit < select.ids.length ? from + limit : null };
  }
  const after = typeof at === 'number' ? null : at;
  const { cursors, next } = await list.cursors({ tenant: select.tenant, filter: select.filter, after, limit });
  return { meant: cursors.map((cursor) => ({ id: cursor.id, at: cursor })), next };
}
