import { expect, test } from 'vitest';
import { createKeys } from '../src/layout/keys.ts';
import { MIGRATIONS } from '../src/layout/migrations.ts';
import { everything, imageDoc, newJobId, startStore } from './harness.ts';

test('given operations of schema version 1 when they are migrated, twice and by two at once, then each goes on from its cursor', async () => {
  const { store, redis, clock } = await startStore();
  await redis.hset('{gj}:work:batch-open:b1', {
    kind: 'batch-open',
    order: '{"batch_id":"b1"}',
    cursor: '{"at":500}',
    created: 1,
  });
  await redis.zadd('{gj}:works', clock.now(), 'batch-open:b1', clock.now() + 1000, 'batch-erase:b2');
  await redis.hset('{gj}:work:batch-erase:b2', { kind: 'batch-erase', order: '{"batch_id":"b2"}' });
  await redis.hset('{gj}:batch:b2', { st: 'erasing' });
  const migrate = MIGRATIONS[1];
  if (migrate === undefined) throw new Error('no migration');
  await Promise.all([migrate(redis, createKeys('gj')), migrate(redis, createKeys('gj'))]);
  await migrate(redis, createKeys('gj'));

  expect((await redis.keys('*')).sort()).toEqual([
    '{gj}:batch:b2',
    '{gj}:operation:batch-discard:b2',
    '{gj}:operation:batch-open:b1',
    '{gj}:operations',
  ]);
  expect(await redis.hget('{gj}:batch:b2', 'st')).toBe('discarding');
  expect(await store.operations.take(clock.now())).toMatchObject({
    id: 'batch-open:b1',
    order: { batch_id: 'b1' },
    cursor: { at: 500 },
  });
  await clock.advance(1000);
  expect(await store.operations.take(clock.now())).toMatchObject({ kind: 'batch-discard', order: { batch_id: 'b2' } });
});

test('given deliveries of schema version 1 when they are migrated, twice, then each has the attempts that were made', async () => {
  const { store, redis } = await startStore();
  const id = 'evt_01HZZZZZZZZZZZZZZZZZZZZZZZ_1_job_succeeded';
  await redis.hset(`{gj}:delivery:${id}`, { id, tenant: 'acme', url: 'https://a.example', state: 'pending', step: 3, tries: 2 });
  await MIGRATIONS[1]?.(redis, createKeys('gj'));
  await MIGRATIONS[1]?.(redis, createKeys('gj'));
  expect((await store.deliveries.read(id))?.delivery).toMatchObject({ attempts_made: 2, step: 3 });
  expect(await redis.hexists(`{gj}:delivery:${id}`, 'tries')).toBe(0);
});

test('given a record of schema version 1 when it is migrated, twice and by two at once, then it reads as before and has the compact form', async () => {
  const { store, redis } = await startStore();
  const id = newJobId();
  await store.transitions.create({ id, tenant: 'acme', doc: imageDoc() });
  const wanted = { job: await store.jobs.read(id), all: await everything(redis) };
  const key = `{gj}:job:${id}`;
  await redis.hset(key, 'doc', (await redis.getdel(`${key}:doc`)) ?? '');
  const split = async () => await MIGRATIONS[1]?.(redis, createKeys('gj'));

  await Promise.all([split(), split()]);
  await split();
  expect(await store.jobs.read(id)).toEqual(wanted.job);
  expect(await everything(redis)).toEqual(wanted.all);
  expect(await redis.object('ENCODING', key)).toBe('listpack');
});
