import type { Transition } from '@grsai-jobs/jobs';
import { expect, test, vi } from 'vitest';
import { settle } from '../src/runner/settle.ts';
import { acceptedJob, startedCall, startHarness } from './harness.ts';

const accepted = (id: string): Transition => ({
  kind: 'task_accepted',
  task: { base: 'https://b', id },
  attempt: { stage: 'submit', started_at: 1, ended_at: 2, outcome: 'accepted' },
  firstPollMs: 0,
  aliveMs: 1e6,
});

test('when the answer to the commit of a task is lost and another worker has polled it since then it is on record, nothing is wrong, and it has its queue entry', async () => {
  const kit = await startHarness();
  const job = await acceptedJob(kit);
  const submitting = await startedCall(kit, job.id);
  await kit.store.transitions.commit(submitting, accepted('1-t'));
  await kit.store.transitions.commit(await job.read(), { kind: 'poll', progress: 10, polls: 1 });
  const error = vi.spyOn(kit.log, 'error');
  expect((await settle(kit, submitting, accepted('1-t'))).kind).toBe('dropped');
  expect(error).not.toHaveBeenCalled();
  expect(await kit.producer.stateOf('poll', await job.read())).toBe('there');
});

test('when a task comes for a job that another call has been accepted for then that is an error, since nobody polls it', async () => {
  const kit = await startHarness();
  const job = await acceptedJob(kit);
  const submitting = await startedCall(kit, job.id);
  await kit.store.transitions.commit(submitting, accepted('1-t'));
  const error = vi.spyOn(kit.log, 'error');
  await settle(kit, submitting, accepted('2-t'));
  expect(error.mock.calls).toMatchObject([[{ event: 'job.task_without_run', recorded: false }, expect.any(String)]]);
});
