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

test('given batches of schema version 3 when they are migrated, twice and by two at once, then committed lines wait in their room and the others are discarded', async () => {
  const { store, redis, clock } = await startStore();
  const doc = { metadata: {}, priority: 'normal', expires_in_s: 3600, output: { url_ttl_s: 3600 } } as const;
  const ids = [newJobId(), newJobId(), newJobId()];
  const [open, coming] = [
    { id: 'batch_open', tenant: 'acme' },
    { id: 'batch_coming', tenant: 'acme' },
  ];
  for (const [batch, lines] of [[open, ids.slice(0, 2)] as const, [coming, ids.slice(2)] as const]) {
    await store.batches.open({ ...batch, doc, createdAt: clock.now() });
    const made = lines.map((jobId, i) => ({ jobId, line: i + 1, customId: `${i}`, doc: imageDoc() }));
    await store.batches.add(batch, 0, made);
  }
  // As a release of that version left them: its operation had brought the first line into the room.
  await redis.del('{gj}:due', '{gj}:tenant:acme:jobs', ...(await redis.keys('{gj}:batch:*:lines:*')));
  for (const id of ids) await redis.hset(`{gj}:job:${id}`, 'st', 'validating');
  await redis.hset('{gj}:batch:batch_open', { st: 'running', round: 1, total: 2, 'n:queued': 2 });
  await redis.hset('{gj}:operation:batch-open:batch_open', { kind: 'batch-open', order: '{"batch_id":"batch_open"}' });
  await redis.zrem('{gj}:operations', 'batch-discard:batch_open');
  await redis.zadd('{gj}:operations', clock.now(), 'batch-open:batch_open', clock.now(), 'batch-open:batch_canceled');
  // Its cancel has passed over what was not opened, and is done.
  await redis.hset('{gj}:batch:batch_canceled', { st: 'canceling', total: 0 });
  await redis.hset('{gj}:waiting:#opening:acme', 'batch_open', 2);
  await redis.sadd('{gj}:tenants', 'acme');
  const migrate = async () => await MIGRATIONS[3]?.(redis, createKeys('gj'));

  await Promise.all([migrate(), migrate()]);
  await migrate();
  expect(await store.rooms.queued('acme')).toBe(2);
  expect(await redis.hget('{gj}:turns', '#queued')).toBe('2');
  expect((await store.rooms.letIn('submit')).map(({ id }) => id).sort()).toEqual(ids.slice(0, 2).sort());
  expect(await store.jobs.read(ids[2] ?? '')).toBeNull();
  expect(await store.batches.discard('batch_coming', ids.slice(2))).toBe(true);
  expect(await redis.exists(`{gj}:job:${ids[2]}`)).toBe(0);
  expect(await redis.keys('{gj}:operation:batch-open*')).toEqual([]);
  expect(await store.operations.take(clock.now())).toMatchObject({ kind: 'batch-cancel', order: { batch_id: 'batch_canceled' } });
  expect(await redis.keys('{gj}:waiting:#opening*')).toEqual([]);
});
