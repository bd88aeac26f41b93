import { randomUUID } from 'node:crypto';
import { createJobStore, PieceEncoder } from '@grsai-jobs/job-store';
import type { Submitting, Transition } from '@grsai-jobs/jobs';
import { connectRedis } from '@grsai-jobs/redis';
import { expect, onTestFinished } from 'vitest';
import { startApi } from './api.ts';

const NO_LIMITS = { maxInFlight: 0, callReserve: 0, callSlots: 0, rpm: 0 };
export const chunk = (content: string, finish_reason: string | null = null) => ({
  id: 'c',
  choices: [{ index: 0, delta: { content }, finish_reason }],
});
const completion = (content: string) => ({
  id: 'c',
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
});

export type Api = Awaited<ReturnType<typeof startApi>>;

/** The API with a chat whose worker is this test. */
export async function startChat(o: { input?: object } = {}) {
  const api = await startApi();
  const messages = [{ role: 'user', content: 'hi' }];
  const body = { type: 'chat', input: { model: 'gemini-3.1-pro', messages, stream: true, ...o.input } };
  const { id } = await api.tenant.post<{ id: string }>('/v1/jobs', body);
  return { api, ...(await workerOf(api, id)) };
}

/** The worker of one chat, which brings what a test says. */
export async function workerOf(api: Api, id: string) {
  const redis = await connectRedis(api.redis.url, 'consumer', { onError: () => undefined, tag: '{gj}' });
  onTestFinished(() => redis.disconnect());
  const store = createJobStore({ redis, prefix: 'gj', clock: Date });
  const read = async () => {
    const job = await store.jobs.read(id);
    if (job === null) throw new Error('no job');
    return job;
  };
  const commit = async (transition: Transition) =>
    expect(await store.transitions.commit(await read(), transition)).toMatchObject({ kind: 'ok' });

  /** An attempt that brings what the test says. */
  const attempt = async () => {
    const lease = { token: randomUUID(), limitMs: 60_000, inputMs: 1000 };
    const started = await store.transitions.startCall({ id, step: 1 }, lease, NO_LIMITS);
    if (started.kind !== 'ok') throw new Error(started.kind);
    const job: Submitting = started.job;
    const encoder = new PieceEncoder();
    let first = 1;
    const write = async (chunks: readonly object[], { whole = false } = {}) => {
      for (const each of chunks) encoder.add(each as Record<string, unknown>);
      const { pieces, count } = encoder.take();
      const line = { attempt: job.ver, writer: lease.token, number: job.attempts_used + 1, first, count, whole, pieces };
      first += count;
      return await store.streams.append(id, line, { ended: whole });
    };
    return {
      write,
      /** Pieces that nobody gets. */
      drop: (count: number) => {
        first += count;
      },
      release: () => commit({ kind: 'release', waitMs: 0, attemptsUsed: job.attempts_used + 1 }),
      succeed: async (content: string, { whole = true } = {}) => {
        if (whole) await write([], { whole });
        await commit({ kind: 'finish', status: 'succeeded', output: { kind: 'chat', completion: completion(content) } });
      },
      fail: () => commit({ kind: 'finish', status: 'failed' }),
    };
  };
  return { id, redis, store, attempt, read };
}
