import { createReopenJob } from '@grsai-jobs/job-actions';
import { expect, test } from 'vitest';
import { failRun } from '../src/stages/end-run.ts';
import { generatingJob, startKit } from './kit.ts';

test('when a failed job is run again then its caller is told the record as it stands in Redis, without the progress of the run before', async () => {
  const kit = await startKit();
  const job = await generatingJob(kit);
  await kit.store.moves.look(await job.read(), { progress: 60, polls: 3 });
  await failRun(kit, await job.read(), 'upstream_failed', {});
  const failed = await job.read();
  expect(failed).toMatchObject({ status: 'failed', progress: 60, run: 1 });
  await kit.clock.advance(1000);
  const reopened = await createReopenJob(kit)(failed, 'resubmit');
  if (reopened.kind !== 'reopened') throw new Error(reopened.kind);
  expect(reopened.record).toMatchObject({ status: 'queued', progress: 0, run: 2, error: null, finished_at: null });
  const stands = await job.read();
  // The answer to a retry tells none of these.
  const { past, seq, due } = stands;
  expect({ ...reopened.record, past, seq, due }).toEqual(stands);
});
