import type { BulkOrder, BulkPlace, JobStore, ListPlace } from '@grsai-jobs/job-store';

/** A job that is meant, and the place behind which the next one stands. */
export interface Meant {
  id: string;
  at: ListPlace | number;
}

/** The next jobs that an order means, in an order that its own doing does not change. `next`: where to go on; `null`: that was all. */
export async function nextMeant(
  list: Pick<JobStore['list'], 'places'>,
  { select }: Pick<BulkOrder, 'select'>,
  at: BulkPlace,
  limit: number,
): Promise<{ meant: Meant[]; next: BulkPlace }> {
  if ('ids' in select) {
    const from = typeof at === 'number' ? at : 0;
    const meant = select.ids.slice(from, from + limit).map((id, i) => ({ id, at: from + i + 1 }));
    return { meant, next: from + limit < select.ids.length ? from + limit : null };
  }
  const after = typeof at === 'number' ? null : at;
  const { places, next } = await list.places({ tenant: select.tenant, filter: select.filter, after, limit });
  return { meant: places.map((place) => ({ id: place.id, at: place })), next };
}
