import type { JobRecord } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { type Cursor, createJobStore, type JobFilter } from '../src/index.ts';
import { imageDoc, jobIn, newJobId, type Started, startStore } from './harness.ts';

/** All pages of a list, with how many there were. */
async function all(harness: Started, filter: JobFilter, limit: number): Promise<{ ids: string[]; pages: number[] }> {
  const ids: string[] = [];
  const pages: number[] = [];
  let after: Cursor | null = null;
  do {
    const page: { jobs: JobRecord[]; next: Cursor | null } = await harness.store.list.page({
      tenant: 'acme',
      filter,
      after,
      limit,
    });
    ids.push(...page.jobs.map(({ id }) => id));
    pages.push(page.jobs.length);
    after = page.next;
  } while (after !== null);
  return { ids, pages };
}

async function accept(harness: Started, more: object = {}): Promise<string> {
  const id = newJobId();
  await harness.store.transitions.create({ id, tenant: 'acme', doc: imageDoc(more) });
  return id;
}

test('when many jobs share a millisecond then pages have each of them once, the newest first', async () => {
  const harness = await startStore();
  const made: string[][] = [];
  for (let ms = 0; ms < 3; ms += 1) {
    made.unshift((await Promise.all(Array.from({ length: 7 }, () => accept(harness)))).sort().reverse());
    harness.clock.advance(1);
  }
  for (const limit of [1, 2, 5, 7, 20, 21]) {
    const { ids, pages } = await all(harness, {}, limit);
    expect(ids).toEqual(made.flat());
    expect(pages.slice(0, -1).every((length) => length === limit)).toBe(true);
  }
});

test('when thousands of jobs share a millisecond, as those of a batch do, then no page is read from the first of them on', async () => {
  const harness = await startStore();
  const ids = Array.from({ length: 3000 }, newJobId).sort().reverse();
  await harness.redis.zadd('{gj}:tenant:acme:jobs', ...ids.flatMap((id) => [harness.clock.now(), id]));
  const found: string[] = [];
  let after: Cursor | null = null;
  do {
    harness.proxy.resetCounts();
    const page: { cursors: Cursor[]; next: Cursor | null } = await harness.store.list.cursors({
      tenant: 'acme',
      filter: {},
      after,
      limit: 100,
    });
    expect(harness.proxy.total).toBeLessThanOrEqual(2);
    found.push(...page.cursors.map(({ id }) => id));
    after = page.next;
  } while (after !== null);
  expect(found).toEqual(ids);
});

test('when the job of a cursor was deleted then the next page goes on behind its place', async () => {
  const harness = await startStore();
  const ids = (await Promise.all(Array.from({ length: 6 }, () => accept(harness)))).sort().reverse();
  const first = await harness.store.list.page({ tenant: 'acme', filter: {}, after: null, limit: 3 });
  await harness.redis.zrem('{gj}:tenant:acme:jobs', ids[2] ?? '');
  const next = await harness.store.list.page({ tenant: 'acme', filter: {}, after: first.next, limit: 3 });
  expect(next.jobs.map(({ id }) => id)).toEqual(ids.slice(3));
  expect(next.next).toBeNull();
});

test('when a list is filtered then only jobs that are all of it stand there', async () => {
  const harness = await startStore();
  const start = harness.clock.now();
  const plain = await accept(harness, { metadata: { order: 'A-1' } });
  harness.clock.advance(1000);
  const other = await accept(harness, { metadata: { order: 'A-2', team: 'x' }, input: { model: 'gpt-image-2', prompt: 'p' } });
  harness.clock.advance(1000);
  const failed = await jobIn(harness, 'generating', imageDoc({ metadata: { order: 'A-1' } }));
  const error = { code: 'upstream_failed', message: '', retryable: true, stage: 'generating' } as const;
  await harness.store.transitions.commit(await failed.read(), { kind: 'finish', status: 'failed', error });
  await harness.store.transitions.create({ id: newJobId(), tenant: 'other', doc: imageDoc() });
  const rows: [JobFilter, string[]][] = [
    [{}, [failed.id, other, plain]],
    [{ status: ['failed'] }, [failed.id]],
    [{ status: ['failed', 'queued'] }, [failed.id, other, plain]],
    [{ status: ['succeeded'] }, []],
    [{ type: 'chat' }, []],
    [{ type: 'image' }, [failed.id, other, plain]],
    [{ model: 'gpt-image-2' }, [other]],
    [{ errorCode: ['upstream_failed', 'internal'] }, [failed.id]],
    [{ errorCode: ['internal'] }, []],
    [{ batchId: 'batch_none' }, []],
    [{ metadata: { order: 'A-1' } }, [failed.id, plain]],
    [{ metadata: { order: 'A-1' }, status: ['queued'] }, [plain]],
    [{ metadata: { order: 'A-2', team: 'x' } }, [other]],
    [{ metadata: { order: 'A-2', team: 'y' } }, []],
    [{ createdAfter: start }, [failed.id, other]],
    [{ createdBefore: start + 1000 }, [plain]],
    [{ createdAfter: start, createdBefore: start + 2000 }, [other]],
  ];
  for (const [filter, ids] of rows) expect({ filter, ids: (await all(harness, filter, 2)).ids }).toEqual({ filter, ids });
});

test('when Redis is slow then a request for what is rare ends after 2 s and says where to go on', async () => {
  const harness = await startStore();
  const wanted = await accept(harness, { metadata: { rare: 'yes' } });
  for (let n = 0; n < 2; n += 1) {
    harness.clock.advance(1);
    await Promise.all(Array.from({ length: 300 }, () => accept(harness)));
  }
  let at = 0;
  const now = () => {
    at += 1000;
    return at;
  };
  const slow = createJobStore({ redis: harness.redis, prefix: 'gj', clock: { now } });
  const page = (after: Cursor | null) =>
    slow.list.page({ tenant: 'acme', filter: { metadata: { rare: 'yes' } }, after, limit: 5 });
  const first = await page(null);
  expect(first.jobs).toEqual([]);
  const second = await page(first.next);
  expect(second).toMatchObject({ jobs: [{ id: wanted }], next: null });
});

test('when a filter is rare then one request reads at most 2 000 records and says where to go on', async () => {
  const harness = await startStore();
  const wanted = await accept(harness, { metadata: { rare: 'yes' } });
  for (let n = 0; n < 2100; n += 300) {
    harness.clock.advance(1);
    await Promise.all(Array.from({ length: 300 }, () => accept(harness)));
  }
  const page = (after: Cursor | null) =>
    harness.store.list.page({ tenant: 'acme', filter: { metadata: { rare: 'yes' } }, after, limit: 5 });
  const first = await page(null);
  expect(first.jobs).toEqual([]);
  const second = await page(first.next);
  expect(second.jobs.map(({ id }) => id)).toEqual([wanted]);
  expect(second.next).toBeNull();
});

test('when jobs are large then a page is short, goes on behind its last job, and has each of them once', async () => {
  const harness = await startStore();
  const ids: string[] = [];
  for (const mebibytes of [3, 3, 0, 0, 3, 0]) {
    const id = newJobId();
    const doc = { ...imageDoc(), metadata: { a: 'x'.repeat(mebibytes * 1024 * 1024) } };
    await harness.store.transitions.create({ id, tenant: 'acme', doc });
    await harness.clock.advance(1);
    ids.unshift(id);
  }
  expect(await all(harness, {}, 10)).toEqual({ ids, pages: [4, 1, 1] });
  expect((await all(harness, { model: 'nano-banana-2' }, 10)).ids).toEqual(ids);
});

test('when many jobs are read one after the other then they come in their order, large ones a few MiB at a time', async () => {
  const harness = await startStore();
  const ids: string[] = [];
  for (const mebibytes of [3, 3, 0, 0]) {
    ids.push(newJobId());
    const doc = { ...imageDoc(), metadata: { a: 'x'.repeat(mebibytes * 1024 * 1024) } };
    await harness.store.transitions.create({ id: ids.at(-1) ?? '', tenant: 'acme', doc });
  }
  await harness.store.jobs.read(ids[3] ?? '');
  const before = harness.proxy.counts['evalsha'] ?? 0;
  const found: (string | null)[] = [];
  for await (const job of harness.store.jobs.each([...ids, newJobId()])) {
    found.push(job === null ? null : job.id);
    expect((harness.proxy.counts['evalsha'] ?? 0) - before).toBe(found.length === 1 ? 1 : 2);
  }
  expect(found).toEqual([...ids, null]);
});

test('when a list is filtered by stage then it has the jobs that are there now, also one that is canceled there, and no ended one', async () => {
  const harness = await startStore();
  const jobs = {
    queued: await jobIn(harness, 'queued'),
    submitting: await jobIn(harness, 'submitting'),
    generating: await jobIn(harness, 'generating'),
  };
  const [storing, canceling, ended] = [
    await jobIn(harness, 'storing'),
    await jobIn(harness, 'storing'),
    await jobIn(harness, 'storing'),
  ];
  await harness.store.transitions.commit(await canceling.read(), { kind: 'request_cancel' });
  await harness.store.transitions.commit(await ended.read(), { kind: 'finish', status: 'succeeded' });
  const idsOf = async (stage: JobFilter['stage']) => (await all(harness, { ...(stage ? { stage } : {}) }, 20)).ids.sort();
  expect(await idsOf(['storing'])).toEqual([storing.id, canceling.id].sort());
  expect(await idsOf(['submitting', 'generating'])).toEqual([jobs.submitting.id, jobs.generating.id].sort());
  expect(await idsOf(undefined)).toHaveLength(6);
});
