import { jobError, type Transition } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { attemptOf, jobIn, NO_LIMITS, startStore } from './harness.ts';

const EXPIRED: Transition = { kind: 'finish', status: 'expired', error: jobError('deadline_exceeded', 'queued') };

test.each<[string, Transition]>([
  ['is canceled', { kind: 'cancel' }],
  ['expires', EXPIRED],
])('when a job that is held %s then it is held no longer, and runs when its caller retries it', async (_, end) => {
  const harness = await startStore();
  const { suspects, transitions } = harness.store;
  const job = await jobIn(harness, 'queued');
  await suspects.hold([job.id], harness.clock.now());
  await job.commit(end);
  expect(await suspects.count()).toBe(0);
  await job.commit({ kind: 'reopen', to: 'queued' });
  const { id, step } = await job.read();
  expect((await transitions.startCall({ id, step }, { token: 'again', limitMs: 1000 }, NO_LIMITS)).kind).toBe('ok');
});

test('when the task of a job fails that was submitted before a restore then the job is held, and one of a later task is called again', async () => {
  const harness = await startStore();
  const { suspects, transitions } = harness.store;
  const fails = async (job: Awaited<ReturnType<typeof jobIn>>) => {
    await job.commit({ kind: 'resubmit', waitMs: 0, attempt: attemptOf('poll', 'failed') });
    const { id, step } = await job.read();
    return (await transitions.startCall({ id, step }, { token: id, limitMs: 1000 }, NO_LIMITS)).kind;
  };
  const before = await jobIn(harness, 'generating');
  await harness.clock.advance(1000);
  await suspects.restored(harness.clock.now());
  const later = await jobIn(harness, 'generating');
  expect([await fails(before), await fails(later)]).toEqual(['suspect', 'ok']);
  expect((await suspects.list({ skip: 0, limit: 10 })).map(({ id }) => id)).toEqual([before.id]);
});
