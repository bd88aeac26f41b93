import { createJobStore } from '@grsai-jobs/job-store';
import { jobError, type Transition } from '@grsai-jobs/jobs';
import { connectRedis } from '@grsai-jobs/redis';
import { chat, image, type Job } from '@grsai-jobs/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { startApi } from './api.ts';

test('when operators say that Redis was restored then whatever may have been paid for is held, and what runs jobs again is called off', async () => {
  const api = await startApi();
  const redis = await connectRedis(api.redis.url, 'consumer', { onError: () => undefined, tag: '{gj}' });
  onTestFinished(() => redis.disconnect());
  const store = createJobStore({ redis, prefix: 'gj', clock: Date });
  const { tenant, admin } = api;
  const id = async (post: object) => (await tenant.post<Job>('/v1/jobs', post)).id;
  const commit = async (job: string, transition: Transition) => {
    const record = await store.jobs.read(job);
    if (record !== null) await store.transitions.commit(record, transition);
  };
  const start = (job: string, token: string) =>
    store.transitions.startCall(
      { id: job, step: 1 },
      { token, limitMs: 1000 },
      { maxInFlight: 0, rpm: 0, callReserve: 0, callSlots: 0 },
    );

  const waiting = await id(image(api.receiver as never));
  const chatting = await id(chat(api.receiver));
  await start(chatting, 'a');
  const asked = await id(image(api.receiver as never));
  await start(asked, 'b');
  await commit(asked, {
    ...{ kind: 'task_accepted', task: { base: 'https://b.example', id: '1-t' }, firstPollMs: 0, aliveMs: 1e6 },
    attempt: { stage: 'submit', started_at: 1, ended_at: 2, outcome: 'accepted' },
  });
  const failed = await id(image(api.receiver as never));
  await commit(failed, { kind: 'finish', status: 'failed', error: jobError('internal', 'queued') });
  await tenant.post('/v1/batches', { items: ['a', 'b'].map((custom_id) => ({ custom_id, ...chat(api.receiver) })) });
  const bulk = await admin.post<{ id: string }>('/admin/v1/bulk-actions', {
    ...{ action: 'requeue', filter: { status: ['failed'] }, rate_per_min: 60, reason: 'r' },
  });
  await admin.send('PATCH', '/admin/v1/queues/call', { paused: true, reason: 'an operator has closed it' });

  const order = { at: new Date(Date.now() - 60_000).toISOString(), reason: 'the disk died' };
  expect(await admin.post('/admin/v1/restored', order)).toEqual({
    ...{ object: 'restored', at: order.at, held: { images: 1, chats: 3 }, held_lines: 2 },
    ...{ asked: 1, too_old: 0, storing: 0, canceling: 0, webhooks: 1, called_off: { retries: 0, bulk_actions: 1 } },
  });
  for (const held of [waiting, chatting]) expect(await start(held, 'c')).toMatchObject({ kind: 'suspect' });
  expect(await admin.get(`/admin/v1/bulk-actions/${bulk.id}`)).toMatchObject({ status: 'aborted' });
  const { call, submit } = await store.pauses.all();
  expect([call?.map(({ detail }) => detail), submit]).toEqual([['ADMIN_API_KEY: an operator has closed it'], []]);
  expect(await store.operations.subjects('look-for-results')).toEqual(['all']);

  // Its task may have failed before, and another may have been made.
  await commit(asked, {
    ...{ kind: 'resubmit', waitMs: 0 },
    attempt: { stage: 'poll', started_at: 3, ended_at: 4, outcome: 'failed' },
  });
  const decide = (decision: object) => admin.post('/admin/v1/suspects', { reason: 'r', ...decision });
  expect(await decide({ action: 'fail', type: 'chat' })).toEqual({ decided: 3, left: 0 });
  expect(await tenant.get<Job>(`/v1/jobs/${chatting}`)).toMatchObject({ status: 'failed', error: { code: 'submit_unknown' } });
  expect(await decide({ action: 'run' })).toEqual({ decided: 2, left: 0 });

  const future = { ...order, at: new Date(Date.now() + 3600_000).toISOString() };
  expect((await admin.send('POST', '/admin/v1/restored', future)).status).toBe(422);
});
