import { createReopenJob } from '@grsai-jobs/job-actions';
import { expect, test } from 'vitest';
import { failJob, generatingJob, startKit } from './kit.ts';

test('when a failed job is run again then its caller is told the record as it stands in Redis, without the progress of the run before', async () => {
  const kit = await startKit();
  const job = await generatingJob(kit);
  await kit.store.transitions.commit(await job.read(), { kind: 'poll', progress: 60, polls: 3 });
  await failJob(kit, job, 'upstream_failed');
  const failed = await job.read();
  expect(failed).toMatchObject({ status: 'failed', progress: 60, run: 1 });
  await kit.clock.advance(1000);
  const reopened = await createReopenJob(kit)(failed, 'resubmit');
  if (reopened.kind !== 'reopened') throw new Error(reopened.kind);
  expect(reopened.job).toMatchObject({ status: 'queued', progress: 0, run: 2, error: null, finished_at: null });
  const stands = await job.read();
  // By when it is looked after is told to nobody.
  expect({ ...reopened.job, due: stands.due }).toEqual(stands);
});
