import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ListPlace } from '../src/index.ts';
import { imageDoc, newJobId, startStore } from './kit.ts';

test('property: when jobs of many tenants are listed together then each comes once, the newest first, whatever the page', async () => {
  const kit = await startStore();
  const { store, clock, redis } = kit;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ tenant: fc.constantFrom('a', 'b', 'c', 'admin'), at: fc.nat(5) }), { maxLength: 120 }),
      fc.integer({ min: 1, max: 30 }),
      async (jobs, limit) => {
        await redis.flushall();
        for (const tenant of ['a', 'b', 'c'])
          await store.apiKeys.create({ tenant, name: 'k', scopes: ['jobs:read'], expiresAt: null, now: clock.now() });
        const made = jobs.map(({ tenant, at }) => ({ id: newJobId(), tenant, createdAt: clock.now() + at }));
        for (const { id, tenant, createdAt } of made) await store.moves.accept({ id, tenant, doc: imageDoc(), createdAt });
        const seen: string[] = [];
        let after: ListPlace | null = null;
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
  await store.moves.accept({ id, tenant: 'gone', doc: imageDoc() });
  expect(await store.apiKeys.remove(key.key_id)).toMatchObject({ tenant: 'gone' });
  expect(await store.apiKeys.remove(key.key_id)).toBeNull();
  expect(await store.apiKeys.list()).toEqual([]);
  const { jobs } = await store.list.page({ tenant: null, filter: {}, after: null, limit: 10 });
  expect(jobs.map((job) => job.id)).toEqual([id]);
});
