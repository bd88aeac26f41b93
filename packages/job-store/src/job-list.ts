import type { JobRecord, JobRequest, Status } from '@grsai-jobs/jobs';
import type { Redis } from 'ioredis';
import { unpackDoc } from './doc-codec.ts';
import type { Keys } from './keys.ts';
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

/** A place in a tenant's list, whether or not its job is still there. */
export interface ListPlace {
  at: number;
  id: string;
}

export interface JobPage {
  jobs: JobRecord[];
  /** Where the next page goes on; `null`: there is no more. */
  next: ListPlace | null;
}

/** So many records one request reads at most; a page can be shorter than asked for and still have a next one (design §2). */
const READ_AT_MOST = 2000;
const READ_AT_ONCE = 200;

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

/** Highest and lowest score of what is asked for. */
function scores({ createdBefore, createdAfter }: JobFilter, after: ListPlace | null): [string, string] {
  const min = createdAfter === undefined ? '-inf' : `(${createdAfter}`;
  const before = createdBefore ?? Number.POSITIVE_INFINITY;
  if (after !== null && after.at < before) return [String(after.at), min];
  return [createdBefore === undefined ? '+inf' : `(${createdBefore}`, min];
}

export type JobList = ReturnType<typeof createJobList>;

/** A tenant's jobs, the newest first. */
export function createJobList(redis: Redis, keys: Keys) {
  /** Places behind `after`. Jobs of one millisecond stand in the order of their ids. */
  async function places(tenant: string, filter: JobFilter, after: ListPlace | null, count: number): Promise<ListPlace[]> {
    const found: ListPlace[] = [];
    const [max, min] = scores(filter, after);
    for (let offset = 0; found.length < count; offset += count) {
      const page = ['BYSCORE', 'REV', 'LIMIT', offset, count, 'WITHSCORES'] as const;
      const flat = await redis.zrange(keys.tenantJobs(tenant), max, min, ...page);
      const read = Array.from({ length: flat.length / 2 }, (_, i) => ({ id: String(flat[2 * i]), at: Number(flat[2 * i + 1]) }));
      found.push(...read.filter((place) => after === null || place.at < after.at || place.id < after.id));
      if (read.length < count) break;
    }
    return found.slice(0, count);
  }

  async function hits(chunk: readonly ListPlace[], filter: JobFilter): Promise<boolean[]> {
    if (!isFiltered(filter)) return chunk.map(() => true);
    const fields = [...HEAD, ...(needsDoc(filter) ? ['doc'] : [])];
    const replies = await pipelined(redis, chunk, (pipeline, { id }) => pipeline.hmget(keys.job(id), ...fields));
    return replies.map((parts) => matches(filter, parts as Part[]));
  }

  async function records(ids: readonly string[]): Promise<JobRecord[]> {
    const found = (await pipelined(redis, ids, (pipeline, id) => pipeline.hgetall(keys.job(id)))) as Record<string, string>[];
    return found.flatMap((fields, i) => (fields['st'] ? [decodeRecord(ids[i] ?? '', fields)] : []));
  }

  return {
    /** One page. Reads at most 2 000 records, so a rare filter can answer an empty page with a next one. */
    async page(o: { tenant: string; filter: JobFilter; after: ListPlace | null; limit: number }): Promise<JobPage> {
      const ids: string[] = [];
      const size = isFiltered(o.filter) ? READ_AT_ONCE : o.limit;
      let next = o.after;
      for (let read = 0; read < READ_AT_MOST; read += size) {
        const found = await places(o.tenant, o.filter, next, size + 1);
        const hit = await hits(found.slice(0, size), o.filter);
        const last = nthHit(hit, o.limit - ids.length);
        ids.push(...found.slice(0, last + 1).flatMap(({ id }, i) => (hit[i] ? [id] : [])));
        next = last + 1 < found.length ? (found[last] ?? null) : null;
        if (next === null || ids.length === o.limit) break;
      }
      return { jobs: await records(ids), next };
    },
  };
}

/** The index of the `n`th hit, or the last index when there are fewer. */
function nthHit(hit: readonly boolean[], n: number): number {
  let left = n;
  const index = hit.findIndex((each) => each && --left === 0);
  return index === -1 ? hit.length - 1 : index;
}
