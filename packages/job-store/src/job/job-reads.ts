import { type Job, type JobRecord, waitsInRoom } from '@grsai-jobs/jobs';
import { pipelined, type Redis, type RunScript } from '@grsai-jobs/redis';
import { hiddenAmong } from '../batch/hidden.ts';
import { forget, postpone } from '../layout/index-entries.ts';
import type { Keys } from '../layout/keys.ts';
import type { Created, Idempotency } from './create.ts';
import { docBytes } from './doc-bytes.ts';
import { inGroups } from './in-groups.ts';
import { readFields } from './read.ts';
import { decodeRecord } from './record-codec.ts';

/** The few fields that say where a job stands, without its input and output. */
export interface JobHead extends Pick<JobRecord, 'id' | 'status' | 'stage' | 'step' | 'expires_at'> {
  /** The queue that its paid call waits in. */
  paidQueue: 'call' | 'submit';
}

export type JobReads = ReturnType<typeof createJobReads>;

/** Reading records, and the sorted set of what is due. Lines of batches that are not committed are seen by nobody. */
export function createJobReads(redis: Redis, run: RunScript, keys: Keys) {
  async function readAll(ids: readonly string[]): Promise<(Job | null)[]> {
    const found = await readFields(run, keys, ids);
    const jobs = ids.map((id, i) => (found[i]?.['st'] ? decodeRecord(id, found[i] ?? {}) : null));
    const lines = jobs.flatMap((job) => (job?.batch_id && waitsInRoom(job) ? [job.id] : []));
    const hidden = await hiddenAmong(run, keys, lines);
    return jobs.map((job) => (job === null || hidden.has(job.id) ? null : job));
  }

  return {
    read: async (id: string): Promise<Job | null> => (await readAll([id]))[0] ?? null,

    /** Many records in the order of their ids, `null` where there is none; some 4 MiB at a time, however large they are. */
    async *each(ids: readonly string[]): AsyncGenerator<Job | null> {
      const bytes = await docBytes(redis, keys, ids);
      const sized = ids.map((id, i) => ({ id, bytes: bytes[i] ?? 0 }));
      for (const group of inGroups(sized, ids.length)) yield* await readAll(group.map(({ id }) => id));
    },

    /** What `create` would answer to this key, where the key is known; it asks without writing anything. */
    async ofKey(
      tenant: string,
      { route, key, fingerprint }: Idempotency,
    ): Promise<Extract<Created, { kind: 'replay' | 'conflict' }> | null> {
      const [id, known] = await redis.hmget(keys.idempotency(tenant, route, key), 'id', 'fp');
      if (!id) return null;
      return known === fingerprint ? { kind: 'replay', id } : { kind: 'conflict' };
    },

    /** Heads of many jobs in one round trip, also of lines that nobody sees; `null` where there is no record. */
    async heads(ids: readonly string[]): Promise<(JobHead | null)[]> {
      const replies = await pipelined(redis, ids, (pipeline, id) => pipeline.hmget(keys.job(id), 'st', 'sg', 'step', 'exp', 'q'));
      return ids.map((id, i) => {
        const [status, stage, step, expires, queue] = replies[i] as (string | null)[];
        if (!status) return null;
        return {
          id,
          status: status as JobHead['status'],
          stage: (stage || null) as JobHead['stage'],
          step: Number(step),
          expires_at: Number(expires),
          paidQueue: queue === 'submit' ? 'submit' : 'call',
        };
      });
    },

    /** Ids of jobs whose `due` lies before `now`, the most overdue first. */
    overdue: (now: number, limit: number): Promise<string[]> =>
      redis.zrange(keys.due, '-inf', String(now), 'BYSCORE', 'LIMIT', 0, limit),

    /** The entry of this step is there: check it again at `until`. */
    async postpone(job: { id: string; step: number }, until: number): Promise<void> {
      await run(postpone, { record: keys.job(job.id), due: keys.due }, { id: job.id, step: job.step, due_at: until });
    },

    /** Nothing is due of a job that is gone or has ended, unless it has changed since it was read. `step`: `null` for one that is gone. */
    async forgetDue(id: string, step: number | null): Promise<void> {
      await run(forget, { record: keys.job(id), set: keys.due }, { id, step });
    },

    /** Jobs with an in-flight call or a living task. */
    inFlight: (): Promise<number> => redis.zcard(keys.inflight),

    /** Counters such as `repairs`, `stalled`, `thrown`. */
    async counters(): Promise<Record<string, number>> {
      return Object.fromEntries(Object.entries(await redis.hgetall(keys.counters)).map(([name, n]) => [name, Number(n)]));
    },
  };
}
