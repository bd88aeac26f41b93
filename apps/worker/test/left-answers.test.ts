import { randomUUID } from 'node:crypto';
import { createCancelJob } from '@grsai-jobs/job-actions';
import { type JobDoc, JobRequest } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { createLeftAnswers } from '../src/maintenance/left-answers.ts';
import { acceptedJob, startHarness } from './harness.ts';

const CHAT = JobRequest.parse({ type: 'chat', input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }] } });

test('when a worker stops, or dies, amid the cancels of chats that nobody came back for then all are canceled by the next', async () => {
  const harness = await startHarness();
  const { answers } = harness.store;
  const jobs = await Promise.all(
    [1, 2, 3].map(() => acceptedJob(harness, {}, (): JobDoc => ({ ...CHAT, on_unknown_submit: 'resubmit' }))),
  );
  for (const { id: job } of jobs) {
    const id = randomUUID();
    const request = { id, print: id, jobs: [job], process: 'one', again: false, share: false, lifeMs: 86_400_000, leaves: true };
    await answers.claim(request);
    await answers.settle(id, 'left');
  }
  const pass = async (ms: number) => {
    await harness.clock.advance(ms);
    await answers.beat('two');
  };
  await pass(60_001);
  const stop = new AbortController();
  const cancelJob = createCancelJob(harness);
  const stopping = createLeftAnswers({
    ...harness,
    shutdown: { stopping: stop.signal },
    cancelJob: async (job) => {
      stop.abort();
      return await cancelJob(job);
    },
  });
  await stopping();
  const canceled = async () => (await Promise.all(jobs.map(({ read }) => read()))).filter(({ status }) => status === 'canceled');
  expect(await canceled()).toHaveLength(1);
  await pass(60_001);
  const next = createLeftAnswers({ ...harness, cancelJob });
  await next();
  expect(await canceled()).toHaveLength(3);
  await pass(60_001);
  expect(await answers.left()).toEqual([]);
});
