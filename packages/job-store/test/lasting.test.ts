import { randomUUID } from 'node:crypto';
import { type State, TRANSITIONS, type Transition, type TransitionRow } from '@grsai-jobs/jobs';
import { NotLasting } from '@grsai-jobs/redis';
import { expect, test } from 'vitest';
import { createJobStore } from '../src/index.ts';
import { EXAMPLES, imageDoc, jobAt, NO_LIMITS, newJobId, type Started, startStore } from './harness.ts';

/** A store whose writes last as `lasting` says, beside one that waits for nothing. */
async function startLasting(lasts: () => boolean) {
  const harness = await startStore();
  let asked = 0;
  const { clock } = harness;
  const lasting = async (_: string, reply: unknown) => {
    asked += 1;
    if (!lasts()) throw new NotLasting('no replica', reply);
  };
  const store = createJobStore({ redis: harness.redis, prefix: 'gj', clock, scriptClock: clock, lasting });
  return { harness: harness as Started, store, asked: () => asked };
}

const KINDS = Object.keys(EXAMPLES) as Transition['kind'][];

test.each(KINDS)('when %s is committed then its caller waits until it lasts, unless a failover may forget it', async (kind) => {
  const { harness, store, asked } = await startLasting(() => true);
  const job = await jobAt(harness, TRANSITIONS[kind].from[0] as State);
  expect(await store.transitions.commit(job, EXAMPLES[kind])).toMatchObject({ kind: 'ok' });
  expect(asked()).toBe((TRANSITIONS[kind] as TransitionRow).mayBeLost ? 0 : 1);
});

test('when a job is created and nobody knows whether it lasts then that is an error, and its key tells later', async () => {
  let lasts = false;
  const { store } = await startLasting(() => lasts);
  const idempotency = { route: 'POST /v1/jobs', key: 'k', fingerprint: 'f' };
  const create = () => store.transitions.create({ id: newJobId(), tenant: 'acme', doc: imageDoc(), idempotency });
  await expect(create()).rejects.toThrow(NotLasting);
  await expect(create()).rejects.toThrow(NotLasting);
  lasts = true;
  expect(await create()).toMatchObject({ kind: 'replay' });
});

test('when the lease of a call may not last then it is known as unsafe, and a call that is not begun needs nothing to last', async () => {
  const { harness, store } = await startLasting(() => false);
  const id = newJobId();
  await harness.store.transitions.create({ id, tenant: 'acme', doc: imageDoc() });
  const start = (token: string) => store.transitions.startCall({ id, step: 1 }, { token, limitMs: 1000 }, NO_LIMITS);
  const token = randomUUID();
  expect(await start(token)).toMatchObject({ kind: 'unsafe', job: { id, lease: { token } } });
  expect(await start(randomUUID())).toMatchObject({ kind: 'held' });
});

test('when a key is made and may not last then its maker is told, and no key is shown', async () => {
  const { store } = await startLasting(() => false);
  const key = { tenant: 'acme', name: 'a', scopes: [], expiresAt: null, now: 1 };
  await expect(store.apiKeys.create(key)).rejects.toThrow(NotLasting);
});

test('when the note of inputs may not last then nothing is stored on it: a failover would forget whose they are', async () => {
  const { store } = await startLasting(() => false);
  await expect(store.inputNotes.write({ jobId: newJobId(), objects: ['a/in-0.png'] })).rejects.toThrow(NotLasting);
});

const BATCH_DOC = { metadata: {}, priority: 'normal' as const, expires_in_s: 3600, output: { url_ttl_s: 3600 } };
const RESULTS = { key: 'a/results-1-a.ndjson', bytes: 1, sha256: '0' };

test('when objects are about to be deleted then first it lasts that nobody needs them any more', async () => {
  const { harness, store } = await startLasting(() => false);
  const note = { jobId: newJobId(), objects: ['a/in-0.png'] };
  await harness.store.inputNotes.write(note);
  await expect(store.inputNotes.take(note, 0)).rejects.toThrow(NotLasting);

  const batch = { id: newJobId().replace('job_', 'batch_'), tenant: 'acme' };
  await store.batches.open({ ...batch, doc: BATCH_DOC, createdAt: harness.clock.now() });
  await expect(store.batches.discard(batch.id, [])).rejects.toThrow(NotLasting);

  const other = { id: newJobId().replace('job_', 'batch_'), tenant: 'acme' };
  const line = { jobId: newJobId(), line: 1, customId: 'a', doc: imageDoc() };
  const { batches } = harness.store;
  await batches.open({ ...other, doc: BATCH_DOC, createdAt: harness.clock.now() });
  await batches.add(other, 0, [line]);
  await batches.commit(other, { total: 1, invalid: 0, expiresInS: 3600 });
  const job = await harness.store.jobs.read(line.jobId);
  if (job === null) throw new Error('no job');
  await harness.store.transitions.commit(job, { kind: 'cancel' });
  const record = await batches.read(other.id);
  if (record === null) throw new Error('no batch');
  await batches.finish(record, 'completed', RESULTS);
  const round = (await batches.read(other.id))?.past[1];
  if (round === undefined) throw new Error('no round');
  const results = { ...RESULTS, key: 'a/results-1-b.ndjson' };
  await expect(store.batches.replaceResults(record, 1, round, results)).rejects.toThrow(NotLasting);
});
