import type { JobRecord, JobRequest, Status } from '@grsai-jobs/jobs';
import type { Redis } from 'ioredis';
import { unpackDoc } from './doc-codec.ts';
import type { Keys } from './keys.ts';
import { createNewestFirst, type ListPlace } from './newest-first.ts';
import { pipelined } from './pipelined.ts';
import { decodeRecord } from './record-codec.ts';

/** What a job has to be to stand in the list; what is left out does not matter. Times in ms since 1970, both ends open. */
export interface JobFilter {
  status?: readonly Status[];
  type?: JobRequest['type'];
  model?: string;
  batchId?: string;
  errorCode?: readonly string[];
  metadata?: Readonly<Record<string, string>>;
  createdAfter?: number;
  createdBefore?: number;
}

export interface JobPage {
  jobs: JobRecord[];
  /** Where the next page goes on; `null`: there is no more. */
  next: ListPlace | null;
}

/** The fields of a record that filters need, in the order of {@link matches}. The input can be large and is not read for them unless asked. */
const HEAD = ['st', 'batch', 'err'] as const;

type Part = string | null | undefined;

function matches(filter: JobFilter, [status, batch, error, text]: readonly Part[]): boolean {
  if (!status) return false;
  if (filter.status && !filter.status.includes(status as Status)) return false;
  if (filter.batchId !== undefined && batch !== filter.batchId) return false;
  if (filter.errorCode && !filter.errorCode.includes(codeOf(error))) return false;
  return text ? docMatches(filter, unpackDoc(text)) : true;
}

const codeOf = (error: Part): string => (error ? (JSON.parse(error) as { code: string }).code : '');

const docMatches = (filter: JobFilter, doc: JobRecord['doc']): boolean =>
  (filter.type === undefined || doc.type === filter.type) &&
  (filter.model === undefined || doc.input.model === filter.model) &&
  Object.entries(filter.metadata ?? {}).every(([key, value]) => doc.metadata[key] === value);

const needsDoc = (filter: JobFilter): boolean =>
  filter.type !== undefined || filter.model !== undefined || Object.keys(filter.metadata ?? {}).length > 0;

const isFiltered = (filter: JobFilter): boolean =>
  needsDoc(filter) || filter.status !== undefined || filter.batchId !== undefined || filter.errorCode !== undefined;

export type JobList = ReturnType<typeof createJobList>;

/** A tenant's jobs, the newest first. */
export function createJobList(redis: Redis, keys: Keys) {
  const newestFirst = createNewestFirst(redis);

  async function hits(ids: readonly string[], filter: JobFilter): Promise<boolean[]> {
    const fields = [...HEAD, ...(needsDoc(filter) ? ['doc'] : [])];
    const replies = await pipelined(redis, ids, (pipeline, id) => pipeline.hmget(keys.job(id), ...fields));
    return replies.map((parts) => matches(filter, parts as Part[]));
  }

  async function records(ids: readonly string[]): Promise<JobRecord[]> {
    const found = (await pipelined(redis, ids, (pipeline, id) => pipeline.hgetall(keys.job(id)))) as Record<string, string>[];
    return found.flatMap((fields, i) => (fields['st'] ? [decodeRecord(ids[i] ?? '', fields)] : []));
  }

  return {
    /** One page. Reads at most 2 000 records, so a rare filter can answer an empty page with a next one. */
    async page(o: { tenant: string; filter: JobFilter; after: ListPlace | null; limit: number }): Promise<JobPage> {
      const { filter } = o;
      const { ids, next } = await newestFirst.page({
        key: keys.tenantJobs(o.tenant),
        range: { after: filter.createdAfter, before: filter.createdBefore },
        place: o.after,
        limit: o.limit,
        hits: isFiltered(filter) ? (some) => hits(some, filter) : undefined,
      });
      return { jobs: await records(ids), next };
    },
  };
}
