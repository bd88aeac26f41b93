import type { Api, Query } from './client.ts';
import { ApiProblem } from './problem.ts';

/** Rows of a list, and whether they are those of all tenants. */
export interface Listed<Row> {
  ofAll: boolean;
  rows: AsyncIterable<Row>;
}

/**
 * A list (`webhook-deliveries`, `batches`) of all tenants, or of one by its name, where the key may read those; else that of the
 * key's own tenant. A service that knows no such list of all is asked for the own one too.
 */
export async function ofTenants<Row>(
  api: Pick<Api, 'list'>,
  name: string,
  query: Query & { tenant: string | undefined },
  limit: number,
): Promise<Listed<Row>> {
  const all = api.list<Row>(`/admin/v1/${name}`, query, limit);
  try {
    const first = await all.next();
    return { ofAll: true, rows: behind(first, all) };
  } catch (error) {
    const may = query.tenant === undefined && error instanceof ApiProblem && [403, 404].includes(error.status);
    if (!may) throw error;
    return { ofAll: false, rows: api.list<Row>(`/v1/${name}`, query, limit) };
  }
}

async function* behind<Row>(first: IteratorResult<Row, void>, rest: AsyncIterable<Row>): AsyncGenerator<Row> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

/** In front of the other columns where rows are of all tenants. */
export const TENANT = { head: 'TENANT', cell: (row: { tenant?: string }) => row.tenant };
