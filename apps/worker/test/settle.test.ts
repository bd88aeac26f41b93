import type { Transition } from '@grsai-jobs/jobs';
import { expect, test, vi } from 'vitest';
import { settle } from '../src/runner/settle.ts';
import { acceptedJob, failJob, startedCall, startHarness } from './harness.ts';

const accepted = (id: string, started_at = 1): Transition => ({
  kind: 'task_accepted',
  task: { base: 'https://b', id },
  attempt: { stage: 'submit', started_at, ended_at: 9, outcome: 'accepted' },
  firstPollMs: 0,
  aliveMs: 1e6,
});

test('when the answer to the commit of a task is lost and another worker has polled it since then it is on record, nothing is wrong, and it has its queue entry', async () => {
  const harness = await startHarness();
  const job = await acceptedJob(harness);
  const submitting = await startedCall(harness, job.id);
  await harness.store.transitions.commit(submitting, accepted('1-t'));
  await harness.store.transitions.commit(await job.read(), { kind: 'poll', progress: 10, polls: 1 });
  const error = vi.spyOn(harness.log, 'error');
  expect((await settle(harness, submitting, accepted('1-t'))).kind).toBe('dropped');
  expect(error).not.toHaveBeenCalled();
  expect(await harness.producer.stateOf('poll', await job.read())).toBe('there');
});

test.each([
  ['failed, so that the job waits for its next submit', { kind: 'resubmit', waitMs: 0 }],
  ['was given up and its job retried', { kind: 'reopen', to: 'queued' }],
] as const)('when the answer to the commit of a task is lost that has %s since then nothing is wrong', async (_, since) => {
  const harness = await startHarness();
  const job = await acceptedJob(harness);
  const submitting = await startedCall(harness, job.id);
  await harness.store.transitions.commit(submitting, accepted('1-t'));
  const { commit } = harness.store.transitions;
  if (since.kind === 'resubmit') {
    const attempt = { stage: 'poll', started_at: 2, ended_at: 3, outcome: 'retry' } as const;
    expect((await commit(await job.read(), { ...since, attempt })).kind).toBe('ok');
  } else {
    await failJob(harness, job, 'upstream_timeout');
    expect((await commit(await job.read(), since)).kind).toBe('ok');
  }
  const before = await job.read();
  const said = [vi.spyOn(harness.log, 'error'), vi.spyOn(harness.log, 'warn')];
  expect((await settle(harness, submitting, accepted('1-t'))).kind).toBe('dropped');
  for (const log of said) expect(log).not.toHaveBeenCalled();
  expect(await job.read()).toEqual(before);
  expect(await harness.producer.stateOf('submit', before)).toBe('there');
});

test('when a task comes for a job that another call has been accepted for then that is an error, since nobody polls it', async () => {
  const harness = await startHarness();
  const job = await acceptedJob(harness);
  const submitting = await startedCall(harness, job.id);
  await harness.store.transitions.commit(submitting, accepted('1-t'));
  const error = vi.spyOn(harness.log, 'error');
  await settle(harness, submitting, accepted('2-t', 5));
  expect(error.mock.calls).toMatchObject([[{ event: 'job.task_without_run', recorded: false }, expect.any(String)]]);
});
