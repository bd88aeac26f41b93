import { createCancelJob, createReopenJob } from '@grsai-jobs/job-actions';
import { jobError } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { acceptedJob, failJob, generatingJob, type Harness, startedCall, startHarness } from './harness.ts';

test('when a failed job is run again then its caller gets the record as it stands in Redis, without the progress of the run before', async () => {
  const harness = await startHarness();
  const job = await generatingJob(harness);
  await harness.store.transitions.commit(await job.read(), { kind: 'poll', progress: 60, polls: 3 });
  await failJob(harness, job, 'upstream_failed');
  const failed = await job.read();
  expect(failed).toMatchObject({ status: 'failed', progress: 60, run: 1 });
  await harness.clock.advance(1000);
  const reopened = await createReopenJob(harness)(failed, 'resubmit');
  if (reopened.kind !== 'reopened') throw new Error(reopened.kind);
  expect(reopened.job).toMatchObject({ status: 'queued', progress: 0, run: 2, error: null, finished_at: null });
  const stands = await job.read();
  // By when it is looked after is told to nobody.
  expect({ ...reopened.job, due: stands.due }).toEqual(stands);
});

/** A job as it was read when it had failed; since then it was run again, and nobody knows whether that made a task. */
async function readBeforeUnknown(harness: Harness) {
  const job = await generatingJob(harness);
  await failJob(harness, job, 'upstream_failed');
  const asRead = await job.read();
  await createReopenJob(harness)(asRead, 'resubmit');
  await startedCall(harness, job.id, { step: (await job.read()).step });
  const error = jobError('submit_unknown', 'submitting');
  await harness.store.transitions.commit(await job.read(), { kind: 'finish', status: 'failed', error, keepLease: true });
  return { ...job, asRead };
}

test('when a job has ended as an unknown submit since it was read then it is not submitted again for what it was before', async () => {
  const harness = await startHarness();
  const { read, asRead } = await readBeforeUnknown(harness);
  const before = await read();
  const reopenJob = createReopenJob(harness);
  expect(await reopenJob(asRead)).toMatchObject({ kind: 'refused', plan: { why: 'submit_unknown' } });
  expect(await reopenJob(asRead, undefined, { asRead: true })).toEqual({ kind: 'busy' });
  expect(await reopenJob(asRead, 'resubmit', { asRead: true })).toEqual({ kind: 'busy' });
  expect(await read()).toEqual(before);
});

test('when Redis is nearly full then no job is submitted again, and one that has a task is', async () => {
  const harness = await startHarness();
  const reopenJob = createReopenJob({ ...harness, memory: { tight: () => true } });
  const job = await generatingJob(harness);
  await failJob(harness, job, 'upstream_timeout');
  expect(await reopenJob(await job.read(), 'resubmit')).toEqual({ kind: 'full' });
  expect(await reopenJob(await job.read())).toMatchObject({ kind: 'reopened', job: { stage: 'generating', run: 2 } });
  expect(await harness.producer.stateOf('poll', await job.read())).toBe('there');
});

test('when a call began since a job was read then its cancel waits for whoever makes the call, and so it does for a result', async () => {
  const harness = await startHarness();
  const cancelJob = createCancelJob(harness);
  const called = await acceptedJob(harness);
  const queued = await called.read();
  await startedCall(harness, called.id);
  expect(await cancelJob(queued)).toMatchObject({ kind: 'canceling', job: { stage: 'submitting' } });

  const stored = await generatingJob(harness);
  const generating = await stored.read();
  const unstored = { links: [{ url: 'https://f.example/1.png' }], dies_at: harness.clock.now() + 1e6 };
  await harness.store.transitions.commit(generating, { kind: 'start_storing', unstored });
  expect(await cancelJob(generating)).toMatchObject({ kind: 'canceling', job: { stage: 'storing', unstored } });
});
