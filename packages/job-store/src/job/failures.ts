import { isFailed, type JobError, type JobRequest, type Signature, signatureOf } from '@grsai-jobs/jobs';
import { type Cursor, cursorsIn, pipelined, type Redis } from '@grsai-jobs/redis';
import { unpackDoc } from './doc-codec.ts';
import { signatureField, signatureIn } from './record-codec.ts';

/** Which failures count; what is left out does not matter. Times of the failure in ms since 1970, both ends open. */
export interface FailureFilter {
  tenant?: string;
  signature?: string;
  code?: readonly string[];
  stage?: string;
  type?: JobRequest['type'];
  model?: string;
  since?: number;
  until?: number;
}

/** Jobs that failed or expired in one way and have not been run again. */
export interface FailureGroup {
  signature: Signature;
  count: number;
  first: number;
  last: number;
  /** The newest of them. */
  samples: string[];
  /** What the newest says, in full. */
  error: JobError;
}

export interface FailurePage {
  /** The largest first. */
  groups: FailureGroup[];
  /** Where to go on with older failures that are not counted here; `null`: all are. */
  next: Cursor | null;
}

const SAMPLES = 5;
const READ_AT_ONCE = 1000;
/** So many failures one request reads: some 300 ms of work in pieces of a few. */
const READ_AT_MOST = 50_000;

interface Counted {
  count: number;
  first: number;
  last: number;
  samples: string[];
}

export type Failures = ReturnType<typeof createFailures>;

/**
 * Failed and expired jobs by signature. The index of failures is read by time; of each record only one short text that the
 * transition which ended it has written. Nothing is counted up and down, so nothing can be counted wrong.
 */
export function createFailures(
  redis: Redis,
  keys: {
    readonly failed: string;
    tenantFailed(tenant: string): string;
    job(id: string): string;
    jobPart(id: string, part: 'doc'): string;
  },
) {
  const fieldsOf = async (ids: readonly string[], ...fields: string[]) =>
    (await pipelined(redis, ids, (pipeline, id) => pipeline.hmget(keys.job(id), ...fields))) as (string | null)[][];

  /** The short text of each, made anew where a job ended before there was one; `null` where it is no failure any more. */
  async function textsOf(ids: readonly string[]): Promise<(string | null)[]> {
    const heads = await fieldsOf(ids, 'st', 'sig');
    const without = ids.filter((_, i) => isFailed(heads[i]?.[0] ?? '') && !heads[i]?.[1]);
    const made = new Map<string, string>();
    const [errors, docs] = await Promise.all([
      fieldsOf(without, 'err'),
      pipelined(redis, without, (pipeline, id) => pipeline.get(keys.jobPart(id, 'doc'))) as Promise<(string | null)[]>,
    ]);
    for (const [i, [error]] of errors.entries()) {
      const doc = docs[i];
      if (error && doc) made.set(without[i] ?? '', signatureField(JSON.parse(error), unpackDoc(doc)));
    }
    return ids.map((id, i) => (isFailed(heads[i]?.[0] ?? '') ? heads[i]?.[1] || (made.get(id) ?? null) : null));
  }

  /**
   * Of the samples the newest that still stands for its group shows what it is about. The id is the one that was written when
   * the jobs failed: a version that makes signatures in another way still shows, and finds, those of before.
   */
  async function groupOf(id: string, counted: Counted): Promise<FailureGroup[]> {
    for (const [text, written] of await fieldsOf(counted.samples, 'err', 'sig')) {
      if (!text) continue;
      const error = JSON.parse(text) as JobError;
      const signature = signatureOf(error);
      if ((written ? signatureIn(written).id : signature.id) === id)
        return [{ signature: { ...signature, id }, error, ...counted }];
    }
    return [];
  }

  return {
    async groups(o: { filter: FailureFilter; after: Cursor | null }): Promise<FailurePage> {
      const { filter } = o;
      const index = filter.tenant === undefined ? keys.failed : keys.tenantFailed(filter.tenant);
      const between = { after: filter.since, before: filter.until };
      const counted = new Map<string, Counted>();
      let next = o.after;
      for (let read = 0; read < READ_AT_MOST; read += READ_AT_ONCE) {
        const found = await cursorsIn(redis, index, between, next, READ_AT_ONCE);
        const texts = await textsOf(found.map(({ id }) => id));
        for (const [i, cursor] of found.entries()) if (isMeant(filter, texts[i])) count(counted, cursor, texts[i] ?? '');
        next = found.length === READ_AT_ONCE ? (found.at(-1) ?? null) : null;
        if (next === null) break;
      }
      const groups = (await Promise.all([...counted].map(([id, each]) => groupOf(id, each)))).flat();
      return {
        groups: groups
          .filter(({ signature: { code, stage } }) => (filter.code?.includes(code) ?? true) && (filter.stage ?? stage) === stage)
          .sort((a, b) => b.count - a.count || b.last - a.last),
        next,
      };
    },
  };
}

function isMeant(filter: FailureFilter, text: string | null | undefined): boolean {
  if (!text) return false;
  const { id, type, model } = signatureIn(text);
  return (filter.signature ?? id) === id && (filter.type ?? type) === type && (filter.model ?? model) === model;
}

/** Cursors come the newest first. */
function count(counted: Map<string, Counted>, { at, id }: Cursor, text: string): void {
  const signature = signatureIn(text).id;
  const group = counted.get(signature) ?? { count: 0, first: at, last: at, samples: [] };
  group.count += 1;
  group.first = at;
  if (group.samples.length < SAMPLES) group.samples.push(id);
  counted.set(signature, group);
}
