import { randomUUID } from 'node:crypto';
import { createJobStore } from '@grsai-jobs/job-store';
import { type JobRecord, JobRequest, type QueueMessage, type Transition } from '@grsai-jobs/jobs';
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

/** Writes the records by the transitions that the API and the worker make, one result for each job. */
export async function writePaidJobs(redisHandle: RedisHandle, count: number, linkOf: (i: number) => string): Promise<PaidJobs> {
  const redis = new Redis(redisHandle.url, { maxRetriesPerRequest: null });
  const { transitions, jobs } = createJobStore({ redis, prefix: 'gj', clock: { now: () => Date.now() } });
  const producer = createProducer({ redis, prefix: 'gj', onError: (error) => console.error(error) });
  const request = JobRequest.parse({ type: 'image', input: { model: 'nano-banana-2', prompt: 'a paper lighthouse' } });
  const doc = { ...request, on_unknown_submit: 'fail' as const };

  async function commit(job: JobRecord, transition: Transition) {
    const committed = await transitions.commit(job, transition);
    if (committed.kind !== 'ok') throw new Error(`${transition.kind} of ${job.id}: ${committed.kind}`);
    return committed;
  }

  async function write(i: number): Promise<QueueMessage> {
    const id = `job_${String(i).padStart(26, '0')}`;
    await transitions.create({ id, tenant: TENANT, doc });
    const call = { token: randomUUID(), limitMs: HOUR_MS };
    const started = await transitions.startCall({ id, step: 1 }, call, { maxInFlight: 0, callReserve: 0, callSlots: 0, rpm: 0 });
    if (started.kind !== 'ok') throw new Error(`the call of ${id}: ${started.kind}`);
    const now = Date.now();
    const accepted = await commit(started.job, {
      kind: 'task_accepted',
      task: { base: 'http://127.0.0.1:9', id: `1-${i}` },
      attempt: { stage: 'submit', started_at: now, ended_at: now, outcome: 'accepted' },
      firstPollMs: 0,
      aliveMs: HOUR_MS,
    });
    const unstored = { links: [{ url: linkOf(i) }], dies_at: now + HOUR_MS };
    const { message } = await commit(accepted.job, { kind: 'start_storing', unstored });
    if (message === null) throw new Error(`${id} has no entry`);
    return message;
  }

  const messages = await Promise.all(Array.from({ length: count }, (_, i) => write(i)));
  return {
    enqueue: async () => void (await Promise.all(messages.map((message) => producer.enqueue(message)))),
    succeeded: async () => {
      const records = await Promise.all(messages.map(({ id }) => jobs.read(id)));
      return records.filter((record) => record?.status === 'succeeded').length;
    },
    close: async () => {
      await producer.close();
      redis.disconnect();
    },
  };
}
