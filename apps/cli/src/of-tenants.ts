import { type CallOptions, type GrsaiJobs, GrsaiJobsError, type Query } from '@grsai-jobs/client';

/** Rows of a list, and whether they are those of all tenants. */
export interface Listed<Row> {
  ofAll: boolean;
  rows: AsyncIterable<Row>;
}

/**
 * A list of all tenants, or of one by its name, where the key may read those; else that of the key's own tenant (`own`). A service
 * that knows no such list of all is asked for the own one too.
 */
export async function ofTenants<Row>(
  client: Pick<GrsaiJobs, 'list'>,
  path: string,
  query: Query & { tenant: string | undefined },
  own: () => AsyncIterable<Row>,
  call: CallOptions = {},
): Promise<Listed<Row>> {
  const all = client.list<Row>(path, query, call)[Symbol.asyncIterator]();
  try {
    const first = await all.next();
    return { ofAll: true, rows: behind(first, all) };
  } catch (error) {
    const may = query.tenant === undefined && error instanceof GrsaiJobsError && (error.status === 403 || error.status === 404);
    if (!may) throw error;
    return { ofAll: false, rows: own() };
  }
}

async function* behind<Row>(first: IteratorResult<Row>, rest: AsyncIterator<Row>): AsyncGenerator<Row, void, undefined> {
  try {
    for (let read = first; !read.done; read = await rest.next()) yield read.value;
  } finally {
    await rest.return?.();
  }
}

/** In front of the other columns where rows are of all tenants. */
export const TENANT = { head: 'TENANT', cell: (row: { tenant?: string }) => row.tenant };
