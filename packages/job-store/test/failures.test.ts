import { jobError } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { imageDoc, jobIn, type Started, startStore } from './harness.ts';

const upstream = (message: string) => ({ upstream: { status: 500, message } });

async function fail(harness: Started, message: string, more: { model?: string } = {}) {
  const job = await jobIn(harness, 'generating', imageDoc({ input: { model: more.model ?? 'nano-banana-2', prompt: 'x' } }));
  await harness.clock.advance(1000);
  await harness.store.transitions.commit(await job.read(), {
    kind: 'finish',
    status: 'failed',
    error: jobError('upstream_failed', 'generating', upstream(message)),
  });
  return job;
}

const all = { filter: {}, after: null };

test('when jobs fail in two ways then they are two groups with count, first, last and samples, the larger one first', async () => {
  const harness = await startStore();
  const start = harness.clock.now();
  const jobs = [];
  for (let i = 0; i < 7; i += 1) jobs.push(await fail(harness, `node ${i} is away`));
  await fail(harness, 'out of memory');
  const { groups, next } = await harness.store.failures.groups(all);
  expect(next).toBeNull();
  expect(groups).toMatchObject([
    {
      signature: { code: 'upstream_failed', stage: 'generating', upstream_status: 500, text: 'node <n> is away' },
      count: 7,
      first: start + 1000,
      last: start + 7000,
      samples: jobs
        .slice(2)
        .map(({ id }) => id)
        .reverse(),
      error: { upstream: { message: 'node 6 is away' } },
    },
    { signature: { text: 'out of memory' }, count: 1 },
  ]);
});

test('when failures are filtered by signature, code, stage, model, type, tenant or time then only those count', async () => {
  const harness = await startStore();
  const start = harness.clock.now();
  await fail(harness, 'one');
  await fail(harness, 'two', { model: 'gpt-image-2' });
  const counts = async (filter: object) =>
    (await harness.store.failures.groups({ filter, after: null })).groups.map(({ signature }) => signature.text).sort();
  const [first] = (await harness.store.failures.groups({ filter: { model: 'gpt-image-2' }, after: null })).groups;
  expect(await counts({ signature: first?.signature.id })).toEqual(['two']);
  expect(await counts({ code: ['internal'] })).toEqual([]);
  expect(await counts({ code: ['internal', 'upstream_failed'], stage: 'generating' })).toEqual(['one', 'two']);
  expect(await counts({ stage: 'storing' })).toEqual([]);
  expect(await counts({ type: 'chat' })).toEqual([]);
  expect(await counts({ tenant: 'acme' })).toEqual(['one', 'two']);
  expect(await counts({ tenant: 'other' })).toEqual([]);
  expect(await counts({ since: start + 1000 })).toEqual(['two']);
  expect(await counts({ until: start + 2000 })).toEqual(['one']);
});

test('when a failed job runs again then it counts no more, and when it fails anew it counts once', async () => {
  const harness = await startStore();
  const job = await fail(harness, 'one');
  await harness.store.transitions.commit(await job.read(), { kind: 'reopen', to: 'queued' });
  expect((await harness.store.failures.groups(all)).groups).toEqual([]);
  await harness.store.transitions.commit(await job.read(), {
    kind: 'finish',
    status: 'failed',
    error: jobError('internal', 'queued'),
  });
  expect((await harness.store.failures.groups(all)).groups).toMatchObject([{ signature: { code: 'internal' }, count: 1 }]);
});

test('when a job expires then it counts as a failure, and its group lists it', async () => {
  const harness = await startStore();
  const job = await jobIn(harness, 'queued');
  await harness.store.transitions.commit(await job.read(), {
    kind: 'finish',
    status: 'expired',
    error: jobError('upstream_balance', 'queued'),
  });
  const { groups } = await harness.store.failures.groups(all);
  expect(groups).toMatchObject([{ signature: { code: 'upstream_balance', stage: 'queued' }, count: 1, samples: [job.id] }]);
  const filter = { signature: groups[0]?.signature.id ?? '' };
  expect(await harness.store.list.page({ tenant: null, filter, after: null, limit: 5 })).toMatchObject({
    jobs: [{ id: job.id }],
  });
  await harness.store.transitions.commit(await job.read(), { kind: 'reopen', to: 'queued' });
  expect((await harness.store.failures.groups(all)).groups).toEqual([]);
});

test('when a record was written before there were signatures then it is counted by its error', async () => {
  const harness = await startStore();
  const job = await fail(harness, 'one');
  await harness.redis.hdel(`{gj}:job:${job.id}`, 'sig');
  expect((await harness.store.failures.groups(all)).groups).toMatchObject([{ signature: { text: 'one' }, count: 1 }]);
});

test('when 60 000 jobs have failed then one request counts the newest 50 000 and says where to go on', async () => {
  const harness = await startStore();
  const job = await fail(harness, 'one');
  const copies = `
    for i = 1, 59999 do
      local id = string.format('job_%026d', i)
      redis.call('COPY', KEYS[1], '{gj}:job:' .. id)
      redis.call('ZADD', KEYS[2], ARGV[1] - i, id)
    end`;
  await harness.redis.eval(copies, 2, `{gj}:job:${job.id}`, '{gj}:failed', harness.clock.now());
  const newest = await harness.store.failures.groups(all);
  expect(newest.groups).toMatchObject([{ count: 50_000 }]);
  const rest = await harness.store.failures.groups({ filter: {}, after: newest.next });
  expect(rest).toMatchObject({ groups: [{ count: 10_000 }], next: null });
});

test('when jobs of a signature are listed for all tenants then they come by the time of the failure, page by page', async () => {
  const harness = await startStore();
  const jobs = [await fail(harness, 'one'), await fail(harness, 'two'), await fail(harness, 'one')];
  const { groups } = await harness.store.failures.groups(all);
  const signature = groups.find((group) => group.signature.text === 'one')?.signature.id ?? '';
  const page = (after: { at: number; id: string } | null) =>
    harness.store.list.page({ tenant: null, filter: { signature, metadata: {} }, after, limit: 1 });
  const first = await page(null);
  const second = await page(first.next);
  expect([...first.jobs, ...second.jobs].map(({ id }) => id)).toEqual([jobs[2]?.id, jobs[0]?.id]);
});

test('when an older version made signatures in another way then its failures are still shown, under the id that finds them', async () => {
  const harness = await startStore();
  const { id } = await fail(harness, 'one');
  const older = 'sig_00000000000000aa';
  await harness.redis.hset(`{gj}:job:${id}`, 'sig', `${older} image nano-banana-2`);
  const { groups } = await harness.store.failures.groups(all);
  expect(groups).toMatchObject([{ signature: { id: older, text: 'one' }, count: 1, samples: [id] }]);
  expect((await harness.store.failures.groups({ filter: { signature: older }, after: null })).groups).toHaveLength(1);
});
