import { eventId } from '@grsai-jobs/jobs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Cursor, DeliveryFilter } from '../src/index.ts';
import { imageDoc, newJobId, startStore } from './harness.ts';

test('property: when jobs of many tenants are listed together then each comes once, the newest first, whatever the page', async () => {
  const harness = await startStore();
  const { store, clock, redis } = harness;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ tenant: fc.constantFrom('a', 'b', 'c', 'admin'), at: fc.nat(5) }), { maxLength: 120 }),
      fc.integer({ min: 1, max: 30 }),
      async (jobs, limit) => {
        await redis.flushall();
        for (const tenant of ['a', 'b', 'c'])
          await store.apiKeys.create({ tenant, name: 'k', scopes: ['jobs:read'], expiresAt: null, now: clock.now() });
        const made = jobs.map(({ tenant, at }) => ({ id: newJobId(), tenant, createdAt: clock.now() + at }));
        for (const { id, tenant, createdAt } of made) await store.transitions.create({ id, tenant, doc: imageDoc(), createdAt });
        const seen: string[] = [];
        let after: Cursor | null = null;
        do {
          const page = await store.list.page({ tenant: null, filter: {}, after, limit });
          expect(page.jobs.length).toBeLessThanOrEqual(limit);
          seen.push(...page.jobs.map(({ id }) => id));
          after = page.next;
        } while (after !== null);
        const expected = made.sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)).map(({ id }) => id);
        expect(seen).toEqual(expected);
      },
    ),
    { numRuns: 25 },
  );
});

test('when the last key of a tenant is revoked then its jobs are still listed for operators', async () => {
  const { store, clock } = await startStore();
  const key = await store.apiKeys.create({ tenant: 'gone', name: 'k', scopes: [], expiresAt: null, now: clock.now() });
  const id = newJobId();
  await store.transitions.create({ id, tenant: 'gone', doc: imageDoc() });
  expect(await store.apiKeys.remove(key.key_id)).toMatchObject({ tenant: 'gone' });
  expect(await store.apiKeys.remove(key.key_id)).toBe('before');
  expect(await store.apiKeys.remove('key_of_nobody')).toBeNull();
  expect(await store.apiKeys.list()).toEqual([]);
  const { jobs } = await store.list.page({ tenant: null, filter: {}, after: null, limit: 10 });
  expect(jobs.map((job) => job.id)).toEqual([id]);
});

test('when webhooks and batches of many tenants are listed together then each comes once, the newest first, whatever the page', async () => {
  const { store, clock, redis } = await startStore();
  const tenants = ['a', 'b', 'c'];
  for (const tenant of tenants) await store.apiKeys.create({ tenant, name: 'k', scopes: [], expiresAt: null, now: clock.now() });
  const made: { id: string; batch: string; tenant: string; at: number }[] = [];
  for (let n = 0; n < 60; n += 1) {
    // Several at one time, and one tenant with most of them.
    const [tenant, at] = [tenants[n % 7 === 0 ? 1 : n % 11 === 0 ? 2 : 0] ?? 'a', clock.now() + Math.floor(n / 4)];
    const job = newJobId();
    const [id, batch] = [eventId(job, 1, 'job.failed'), `batch_${job.slice(4)}`];
    const fields = {
      id,
      tenant,
      job_id: job,
      run: 1,
      type: 'job.failed',
      url: 'https://a.example/',
      step: 1,
      made: 1,
      created: at,
    };
    await redis.hset(`{gj}:delivery:${id}`, { ...fields, state: n % 2 === 0 ? 'pending' : 'failed', next: at });
    await redis.zadd(`{gj}:tenant:${tenant}:deliveries`, at, id);
    await redis.hset(`{gj}:batch:${batch}`, { tenant, st: 'completed', round: 1, cr: at, whs: 'none' });
    await redis.zadd(`{gj}:tenant:${tenant}:batches`, at, batch);
    made.push({ id, batch, tenant, at });
  }
  const newest = (name: 'id' | 'batch', of = made) =>
    [...of].sort((x, y) => y.at - x.at || (x[name] < y[name] ? 1 : -1)).map((each) => each[name]);
  const pending = made.filter((_, n) => n % 2 === 0);
  const { deliveryList, batches } = store;
  for (const limit of [1, 7, 100]) {
    const deliveries = (filter: DeliveryFilter, tenant: string | null = null) =>
      all(async (after) => {
        const page = await deliveryList.page({ tenant, filter, after, limit });
        return { ids: page.deliveries.map(({ id }) => id), next: page.next };
      });
    expect(await deliveries({})).toEqual(newest('id'));
    expect(await deliveries({ state: ['pending'] })).toEqual(newest('id', pending));
    expect(await deliveries({}, 'b')).toEqual(
      newest(
        'id',
        made.filter(({ tenant }) => tenant === 'b'),
      ),
    );
    const batchIds = await all(async (after) => {
      const page = await batches.page({ tenant: null, after, limit });
      return { ids: page.batches.map(({ id }) => id), next: page.next };
    });
    expect(batchIds).toEqual(newest('batch'));
  }
  const [one] = made;
  const ofJob = await deliveryList.page({ tenant: null, filter: { jobId: `job_${one?.batch.slice(6)}` }, after: null, limit: 5 });
  expect(ofJob.deliveries.map(({ id, tenant }) => [id, tenant])).toEqual([[one?.id, one?.tenant]]);
});

/** A list from its first page to its last. */
async function all(page: (after: Cursor | null) => Promise<{ ids: string[]; next: Cursor | null }>): Promise<string[]> {
  const ids: string[] = [];
  let after: Cursor | null = null;
  do {
    const { ids: more, next }: { ids: string[]; next: Cursor | null } = await page(after);
    ids.push(...more);
    after = next;
  } while (after !== null);
  return ids;
}
