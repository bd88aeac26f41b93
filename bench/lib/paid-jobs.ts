import { randomUUID } from 'node:crypto';
import { createJobStore } from '@grsai-jobs/job-store';
import { JobRequest } from '@grsai-jobs/jobs';
import { createProducer } from '@grsai-jobs/queue';
import type { RedisHandle } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { TENANT } from './ours.ts';

const HOUR_MS = 3_600_000;

/** Image jobs whose tasks have succeeded and whose results wait to be stored. */
export interface PaidJobs {
  /** Gives all of them to the worker. */
  enqueue(): Promise<void>;
  /** How many have ended well. */
  succeeded(): Promise<number>;
  close(): Promise<void>;
}

/** Writes the records by the moves that the API and the worker make, one result for each job. */
export async function writePaidJobs(redisHandle: RedisHandle, count: number, linkOf: (i: number) => string): Promise<PaidJobs> {
  const redis = new Redis(redisHandle.url, { maxRetriesPerRequest: null });
  const { moves, jobs } = createJobStore({ redis, prefix: 'gj', clock: { now: () => Date.now() } });
  const producer = createProducer({ redis, prefix: 'gj', onError: (error) => console.error(error) });
  const request = JobRequest.parse({ type: 'image', input: { model: 'nano-banana-2', prompt: 'a paper lighthouse' } });
  const doc = { ...request, on_unknown_submit: 'fail' as const };

  async function write(i: number): Promise<{ id: string; step: number }> {
    const id = `job_${String(i).padStart(26, '0')}`;
    const by = randomUUID();
    const record = async () => {
      const read = await jobs.read(id);
      if (read === null) throw new Error(`${id} is not there`);
      return read;
    };
    await moves.accept({ id, tenant: TENANT, doc });
    await moves.begin({ id, step: 1 }, { token: by, limitMs: HOUR_MS }, { maxInFlight: 0, rpm: 0 });
    const task = { base: 'http://127.0.0.1:9', taskId: `1-${i}`, firstLookMs: 0, aliveUntil: Date.now() + HOUR_MS };
    await moves.accepted(await record(), { by, token: randomUUID(), ...task, attempts: [] });
    const pending = { links: [{ url: linkOf(i) }], dies_at: Date.now() + HOUR_MS };
    const moved = await moves.outputs(await record(), { pending });
    if (moved.kind !== 'ok') throw new Error(`${id} has no outputs: ${moved.kind}`);
    return { id, step: moved.step };
  }

  const entries = await Promise.all(Array.from({ length: count }, (_, i) => write(i)));
  return {
    enqueue: async () => void (await Promise.all(entries.map((entry) => producer.enqueueStore(entry)))),
    succeeded: async () => {
      const records = await Promise.all(entries.map(({ id }) => jobs.read(id)));
      return records.filter((record) => record?.status === 'succeeded').length;
    },
    close: async () => {
      await producer.close();
      redis.disconnect();
    },
  };
}
