import { Readable } from 'node:stream';
import { type JobRecord, JobRequest } from '@grsai-jobs/jobs';
import { ObjectStoreError } from '@grsai-jobs/object-store';
import { createLogger, systemTimers } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { createOpenInput } from './open-input.ts';

const log = createLogger({ name: 'test', level: 'silent', pretty: false });
const TEXT = '{"model":"m"}';

/** A job whose input stands in the bucket. */
function jobOf(tenant: string): Pick<JobRecord, 'id' | 'tenant' | 'doc'> {
  const request = JobRequest.parse({ type: 'image', input: { model: 'nano-banana-2', prompt: 'a lighthouse' } });
  const stored_input = { $object: 'inputs/1/input.json', bytes: TEXT.length, pictures: [] };
  return { id: 'job_1', tenant, doc: { ...request, on_unknown_submit: 'fail', stored_input } };
}

/** A bucket of which each read is counted and goes on until its reader leaves. */
function bucket() {
  const open = createOpenInput({
    timers: systemTimers,
    log,
    objects: { get: async () => ({ body: Readable.from([TEXT]), contentLength: TEXT.length }) },
  });
  const grab = async (tenant: string, count: number) =>
    (await Promise.all(Array.from({ length: count }, () => open(jobOf(tenant))))).filter((each) => each !== null);
  return { open, grab };
}

test('when a tenant reads four large inputs at once then a fifth is left out, another tenant reads, and one that ends makes room', async () => {
  const { open, grab } = bucket();
  const held = await grab('busy', 6);
  expect(held).toHaveLength(4);
  expect(await open(jobOf('quiet'))).not.toBeNull();
  held[0]?.close();
  await new Promise((resolve) => held[0]?.text.once('close', resolve));
  expect(await grab('busy', 2)).toHaveLength(1);
});

test('when 32 large inputs are read by all tenants together then the next is left out', async () => {
  const { grab } = bucket();
  const held = await Promise.all(Array.from({ length: 9 }, (_, n) => grab(`tenant-${n}`, 4)));
  expect(held.flat()).toHaveLength(32);
});

test('when an input cannot be read then the job is shown without it, and its slot is free again', async () => {
  const open = createOpenInput({
    timers: systemTimers,
    log,
    objects: { get: async () => Promise.reject(new ObjectStoreError('unavailable', 'away')) },
  });
  for (let n = 0; n < 40; n += 1) expect(await open(jobOf('acme'))).toBeNull();
});
