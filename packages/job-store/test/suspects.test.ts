import { jobError, type Transition } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { jobIn, NO_LIMITS, startStore } from './harness.ts';

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
