import type { GrsaiJobs, Query } from '@grsai-jobs/client';

/** How many things a page of a list has at most. */
export const PAGE = 100;

/** The first `limit` of a list; what comes after them is not asked for. */
export async function* first<T>(limit: number, rows: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  let left = limit;
  for await (const row of rows) {
    yield row;
    left -= 1;
    if (left === 0) return;
  }
}

/** The first `limit` of a list for operators. */
export const firstOf = <T>(client: Pick<GrsaiJobs, 'list'>, path: string, query: Query, limit: number): AsyncGenerator<T> =>
  first(limit, client.list<T>(path, { ...query, limit: Math.min(limit, PAGE) }));
