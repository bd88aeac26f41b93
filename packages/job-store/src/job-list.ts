import { type JobError, type JobRecord, type JobRequest, type Status, signatureOf } from '@grsai-jobs/jobs';
import type { Redis } from 'ioredis';
import { unpackDoc } from './doc-codec.ts';
import type { Keys } from './keys.ts';
import { pipelined } from './pipelined.ts';
import { type ListPlace, placesOver } from './places.ts';
import { decodeRecord, signatureIn } from './record-codec.ts';
import type { Tenants } from './tenants.ts';

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
  /** Failed with this signature. Such a list goes by the time of the failure. */
  signature?: string;
  /** Failed before this time. Such a list goes by the time of the failure too. */
  failedBefore?: number;
}

export interface JobPage {
  jobs: JobRecord[];
  /** Where the next page goes on; `null`: there is no more. */
  next: ListPlace | null;
}

export interface ListAsked {
  /** Whose jobs; `null`: everybody's, for operators. */
  tenant: string | null;
  filter: JobFilter;
  after: ListPlace | null;
  limit: number;
}

/** So many records one request reads at most; a page can be shorter than asked for and still have a next one (design §2). */
const READ_AT_MOST = 2000;
const READ_AT_ONCE = 200;

/** The fields of a record that filters need, in the order of {@link matches}. The input can be large and is not read for them unless asked. */
const HEAD = ['st', 'batch', 'err', 'sig', 'cr'] as const;

type Part = string | null | undefined;

function matches(filter: JobFilter, [status, batch, error, sig, created, text]: readonly Part[]): boolean {
  if (!status) return false;
  if (filter.status && !filter.status.includes(status as Status)) return false;
  if (filter.batchId !== undefined && batch !== filter.batchId) return false;
  if (filter.errorCode && !filter.errorCode.includes(codeOf(error))) return false;
  if (isOfFailures(filter) && !failedSo(filter, status, Number(created), error, sig)) return false;
  return text ? docMatches(filter, unpackDoc(text)) : true;
}

const isOfFailures = ({ signature, failedBefore }: JobFilter): boolean => signature !== undefined || failedBefore !== undefined;

/** A list of failures is read from the failures, whose order is not that of the creation. */
function failedSo(filter: JobFilter, status: string, created: number, error: Part, sig: Part): boolean {
  if (status !== 'failed' || created <= (filter.createdAfter ?? -1)) return false;
  if (created >= (filter.createdBefore ?? Number.POSITIVE_INFINITY)) return false;
  if (filter.signature === undefined) return true;
  const id = sig ? signatureIn(sig).id : error ? signatureOf(JSON.parse(error) as JobError).id : '';
  return id === filter.signature;
}

const codeOf = (error: Part): string => (error ? (JSON.parse(error) as { code: string }).code : '');

const docMatches = (filter: JobFilter, doc: JobRecord['doc']): boolean =>
  (filter.type === undefined || doc.type === filter.type) &&
  (filter.model === undefined || doc.input.model === filter.model) &&
  Object.entries(filter.metadata ?? {}).every(([key, value]) => doc.metadata[key] === value);

const needsDoc = (filter: JobFilter): boolean =>
  filter.type !== undefined || filter.model !== undefined || Object.keys(filter.metadata ?? {}).length > 0;

const isFiltered = (filter: JobFilter): boolean =>
  needsDoc(filter) ||
  filter.status !== undefined ||
  filter.batchId !== undefined ||
  filter.errorCode !== undefined ||
  isOfFailures(filter);

export type JobList = ReturnType<typeof createJobList>;

/** Jobs of one tenant or of all, the newest first. */
export function createJobList(redis: Redis, keys: Keys, tenants: Pick<Tenants, 'all'>) {
  async function indexesOf(tenant: string | null, filter: JobFilter): Promise<string[]> {
    if (isOfFailures(filter)) return [tenant === null ? keys.failed : keys.tenantFailed(tenant)];
    return (tenant === null ? await tenants.all() : [tenant]).map(keys.tenantJobs);
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

  /** Places of the jobs that fit, behind `after`. */
  async function places(o: ListAsked): Promise<{ places: ListPlace[]; next: ListPlace | null }> {
    const places: ListPlace[] = [];
    const size = isFiltered(o.filter) ? READ_AT_ONCE : o.limit;
    const indexes = await indexesOf(o.tenant, o.filter);
    const between = isOfFailures(o.filter)
      ? { before: o.filter.failedBefore }
      : { after: o.filter.createdAfter, before: o.filter.createdBefore };
    let next = o.after;
    for (let read = 0; read < READ_AT_MOST; ) {
      const { found, more } = await placesOver(redis, indexes, between, next, size);
      const hit = await hits(found, o.filter);
      const last = nthHit(hit, o.limit - places.length);
      places.push(...found.slice(0, last + 1).filter((_, i) => hit[i]));
      next = last + 1 < found.length || more ? (found[last] ?? null) : null;
      read += found.length;
      if (next === null || places.length === o.limit) break;
    }
    return { places, next };
  }

  return {
    places,

    /** One page. Reads at most some 2 000 records, so a rare filter can answer an empty page with a next one. */
    async page(o: ListAsked): Promise<JobPage> {
      const { places: found, next } = await places(o);
      return { jobs: await records(found.map(({ id }) => id)), next };
    },
  };
}

/** The index of the `n`th hit, or the last index when there are fewer. */
function nthHit(hit: readonly boolean[], n: number): number {
  let left = n;
  const index = hit.findIndex((each) => each && --left === 0);
  return index === -1 ? hit.length - 1 : index;
}
