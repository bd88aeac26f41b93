import {
  isFailed,
  type Job,
  type JobError,
  type JobRecord,
  type JobRequest,
  type Stage,
  type Status,
  signatureOf,
} from '@grsai-jobs/jobs';
import { type Cursor, createNewestFirst, pipelined, type Redis, type RunScript } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import { docBytes } from './doc-bytes.ts';
import { unpackDoc } from './doc-codec.ts';
import { inGroups } from './in-groups.ts';
import { readFields } from './read.ts';
import { decodeRecord, signatureIn } from './record-codec.ts';

/** What a job has to be to stand in the list; what is left out does not matter. Times in ms since 1970, both ends open. */
export interface JobFilter {
  status?: readonly Status[];
  /** Where a job that runs is. */
  stage?: readonly Stage[];
  type?: JobRequest['type'];
  model?: string;
  batchId?: string;
  errorCode?: readonly string[];
  metadata?: Readonly<Record<string, string>>;
  createdAfter?: number;
  createdBefore?: number;
  /** Failed or expired with this signature. Such a list goes by the time of that. */
  signature?: string;
  /** Failed or expired before this time. Such a list goes by the time of that too. */
  failedBefore?: number;
}

export interface JobPage {
  jobs: Job[];
  /** Where the next page goes on; `null`: there is no more. */
  next: Cursor | null;
}

export interface ListAsked {
  /** Whose jobs; `null`: everybody's, for operators. */
  tenant: string | null;
  filter: JobFilter;
  after: Cursor | null;
  limit: number;
}

/** The fields of a record that filters need, in the order of {@link matches}. The input can be large and is not read for them unless asked. */
const HEAD = ['st', 'batch', 'err', 'sig', 'cr', 'sg'] as const;

type Part = string | null | undefined;

function matches(filter: JobFilter, [status, batch, error, sig, created, stage]: readonly Part[], doc: Part): boolean {
  if (!status) return false;
  if (filter.status && !filter.status.includes(status as Status)) return false;
  if (filter.stage && !filter.stage.includes(stage as Stage)) return false;
  if (filter.batchId !== undefined && batch !== filter.batchId) return false;
  if (filter.errorCode && !filter.errorCode.includes(codeOf(error))) return false;
  if (isOfFailures(filter) && !failedSo(filter, status, Number(created), error, sig)) return false;
  return !needsDoc(filter) || (Boolean(doc) && docMatches(filter, unpackDoc(doc ?? '')));
}

const isOfFailures = ({ signature, failedBefore }: JobFilter): boolean => signature !== undefined || failedBefore !== undefined;

/** A list of failures is read from the failures, whose order is not that of the creation. */
function failedSo(filter: JobFilter, status: string, created: number, error: Part, sig: Part): boolean {
  if (!isFailed(status) || created <= (filter.createdAfter ?? -1)) return false;
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
  filter.stage !== undefined ||
  filter.batchId !== undefined ||
  filter.errorCode !== undefined ||
  isOfFailures(filter);

export type JobList = ReturnType<typeof createJobList>;

/** Jobs of one tenant or of all, the newest first. */
export function createJobList(
  redis: Redis,
  run: RunScript,
  keys: Keys,
  clock: { now(): number },
  tenants: { all(): Promise<readonly string[]> },
) {
  const newestFirst = createNewestFirst(redis, clock);

  async function indexesOf(tenant: string | null, filter: JobFilter): Promise<string[]> {
    if (isOfFailures(filter)) return [tenant === null ? keys.failed : keys.tenantFailed(tenant)];
    return (tenant === null ? await tenants.all() : [tenant]).map(keys.tenantJobs);
  }

  /** With how much each takes up, so that large ones are not read together. */
  async function sized<T extends { id: string }>(items: readonly T[]): Promise<(T & { bytes: number })[]> {
    const bytes = await docBytes(
      redis,
      keys,
      items.map(({ id }) => id),
    );
    return items.map((item, i) => ({ ...item, bytes: bytes[i] ?? 0 }));
  }

  async function hits(ids: readonly string[], filter: JobFilter): Promise<boolean[]> {
    const asked = needsDoc(filter);
    const cursors = ids.map((id) => ({ id }));
    const found: boolean[] = [];
    for (const group of asked ? inGroups(await sized(cursors), ids.length) : [cursors]) {
      const [heads, docs] = await Promise.all([
        pipelined(redis, group, (pipeline, { id }) => pipeline.hmget(keys.job(id), ...HEAD)) as Promise<Part[][]>,
        asked ? redis.mget(group.map(({ id }) => keys.jobPart(id, 'doc'))) : [],
      ]);
      found.push(...heads.map((head, i) => matches(filter, head, docs[i])));
    }
    return found;
  }

  async function records(ids: readonly string[]): Promise<Job[]> {
    const found = await readFields(run, keys, ids);
    return found.flatMap((fields, i) => (fields['st'] ? [decodeRecord(ids[i] ?? '', fields)] : []));
  }

  /** Cursors of the jobs that fit, behind `after`. */
  async function cursors({ tenant, filter, after, limit }: ListAsked): Promise<{ cursors: Cursor[]; next: Cursor | null }> {
    return await newestFirst.page({
      indexes: await indexesOf(tenant, filter),
      between: isOfFailures(filter)
        ? { before: filter.failedBefore }
        : { after: filter.createdAfter, before: filter.createdBefore },
      behind: after,
      limit,
      hits: isFiltered(filter) ? (ids) => hits(ids, filter) : undefined,
    });
  }

  return {
    cursors,

    /**
     * One page. Reads at most some 2 000 records, or for 2 s, so a rare filter can answer an empty page with a next one; and of large
     * jobs at most some 4 MiB, or one job, so such a page is short.
     */
    async page(o: ListAsked): Promise<JobPage> {
      const { cursors: found, next } = await cursors(o);
      const [page = []] = inGroups(await sized(found), o.limit);
      const last = page.at(-1);
      return {
        jobs: await records(page.map(({ id }) => id)),
        next: last && page.length < found.length ? { at: last.at, id: last.id } : next,
      };
    },
  };
}
