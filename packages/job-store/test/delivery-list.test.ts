import { eventId } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import type { Cursor, DeliveryFilter } from '../src/index.ts';
import { imageDoc, newJobId, type Started, startStore } from './harness.ts';

/** The delivery of a job that was canceled. */
async function delivery(harness: Started, o: { tenant?: string; url?: string } = {}): Promise<{ job: string; id: string }> {
  const job = newJobId();
  const doc = imageDoc({ webhook: { url: o.url ?? 'https://caller.example/hooks' } });
  await harness.store.transitions.create({ id: job, tenant: o.tenant ?? 'acme', doc });
  const record = await harness.store.jobs.read(job);
  if (record === null) throw new Error('no record');
  await harness.store.transitions.commit(record, { kind: 'cancel' });
  return { job, id: eventId(job, 1, 'job.canceled') };
}

async function all(harness: Started, filter: DeliveryFilter, limit: number): Promise<string[]> {
  const ids: string[] = [];
  let after: Cursor | null = null;
  do {
    const page: Awaited<ReturnType<typeof harness.store.deliveryList.page>> = await harness.store.deliveryList.page({
      tenant: 'acme',
      filter,
      after,
      limit,
    });
    expect(page.deliveries.length).toBeLessThanOrEqual(limit);
    ids.push(...page.deliveries.map(({ id }) => id));
    after = page.next;
  } while (after !== null);
  return ids;
}

test('pages of any length make up the whole list, also where many deliveries were made in one millisecond', async () => {
  const harness = await startStore();
  const made: string[] = [];
  for (let n = 0; n < 12; n += 1) {
    if (n % 5 === 0) harness.clock.advance(1);
    made.push((await delivery(harness)).id);
  }
  await delivery(harness, { tenant: 'other' });
  const whole = await all(harness, {}, 100);
  expect([...whole].sort()).toEqual([...made].sort());
  for (const limit of [1, 2, 5, 11, 12]) expect(await all(harness, {}, limit)).toEqual(whole);
  for (const limit of [1, 3]) expect(await all(harness, { state: ['pending'] }, limit)).toEqual(whole);
  expect(await all(harness, { state: ['failed'] }, 5)).toEqual([]);
});

test('a filter that fits nearly nothing reads 2 000 deliveries for a page and goes on from there', async () => {
  const harness = await startStore();
  const first = await delivery(harness, { url: 'https://caller.example/rare' });
  harness.clock.advance(1);
  const ids = Array.from({ length: 2500 }, (_, n) => `evt_${String(n).padStart(26, '0')}_1_job_failed`);
  await harness.redis.zadd('{gj}:tenant:acme:deliveries', ...ids.flatMap((id) => [harness.clock.now(), id]));
  const filter = { goesTo: (url: string) => url.endsWith('/rare') };
  const page = await harness.store.deliveryList.page({ tenant: 'acme', filter, after: null, limit: 10 });
  expect(page.deliveries).toEqual([]);
  expect(page.next).not.toBeNull();
  expect(await all(harness, filter, 10)).toEqual([first.id]);
});

test('deliveries of one job are found by it, for its tenant only, also when the job is gone and one is still pending', async () => {
  const harness = await startStore();
  const { job, id } = await delivery(harness);
  await delivery(harness);
  expect(await all(harness, { jobId: job }, 1)).toEqual([id]);
  expect(await all(harness, { jobId: job, state: ['delivered'] }, 1)).toEqual([]);
  const theirs = { tenant: 'other', filter: { jobId: job }, after: null, limit: 10 };
  expect((await harness.store.deliveryList.page(theirs)).deliveries).toEqual([]);
  const record = await harness.store.jobs.read(job);
  if (record === null) throw new Error('no record');
  await harness.store.erase.asked(record);
  expect(await all(harness, { jobId: job }, 1)).toEqual([id]);
});

test('of a time the deliveries come oldest first, in pieces without gaps, those of its first and last millisecond too', async () => {
  const harness = await startStore();
  await delivery(harness);
  harness.clock.advance(1);
  const from = harness.clock.now();
  const made: string[] = [];
  for (let n = 0; n < 9; n += 1) {
    if (n % 4 === 3) harness.clock.advance(1);
    made.push((await delivery(harness)).id);
  }
  const to = harness.clock.now();
  harness.clock.advance(1);
  await delivery(harness);
  for (const count of [1, 2, 3, 9, 100]) {
    const found: string[] = [];
    let after: Cursor | null = null;
    do {
      const piece: Awaited<ReturnType<typeof harness.store.deliveryList.madeBetween>> =
        await harness.store.deliveryList.madeBetween({
          tenant: 'acme',
          from,
          to,
          after,
          count,
        });
      found.push(...piece.deliveries.map(({ id }) => id));
      after = piece.next;
    } while (after !== null);
    expect(found).toHaveLength(9);
    expect([...found].sort()).toEqual([...made].sort());
  }
});
