import type { JobPrice } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { acceptedJob, generatingJob, handlersOf, startHarness } from './harness.ts';

const priced = (error: boolean): JobPrice => ({ reserve: 1200, refunds: { error, violation: false }, isOld: false });

test.each<[string, JobPrice | null, object, string]>([
  ['its credits come back', priced(true), {}, 'queued'],
  ['nobody knows its price', null, {}, 'queued'],
  ['its credits are gone', priced(false), {}, 'failed'],
  ['its credits are gone, and its caller pays for more', priced(false), { resubmit_failed: 'always' }, 'queued'],
  ['its credits come back, and its caller wants one only', priced(true), { resubmit_failed: 'never' }, 'failed'],
])('when a task failed upstream and %s then it is submitted again or not', async (_, price, more, status) => {
  const harness = await startHarness();
  const job = await generatingJob(harness, 'a boat [[outcome=failed]]', more, price);
  await harness.clock.advance(2000);
  const { step } = await job.read();
  await handlersOf(harness).poll({ entry: { id: job.id, step } } as never);
  expect(await job.read()).toMatchObject({ status, ...(status === 'failed' ? { error: { code: 'upstream_failed' } } : {}) });
});

test.each([
  ['come back', true, 'queued'],
  ['may be gone', false, 'failed'],
])('when a synchronous image failed upstream and its credits %s then the call is made again or not', async (_, error, status) => {
  const harness = await startHarness();
  const input = { model: 'gpt-image-2', prompt: 'a boat [[outcome=failed]][[task-ms=0]]' };
  const job = await acceptedJob(harness, { input, via: 'generations' }, undefined, undefined, priced(error));
  await handlersOf(harness).call({ entry: { id: job.id, step: 1 } } as never);
  expect(await job.read()).toMatchObject({ status });
});
