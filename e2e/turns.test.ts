import { randomUUID } from 'node:crypto';
import { createJobStore } from '@grsai-jobs/job-store';
import { type JobDoc, JobRequest, jobId } from '@grsai-jobs/jobs';
import { createConsumer, createProducer, done } from '@grsai-jobs/queue';
import { connectRedis } from '@grsai-jobs/redis';
import { startRedis, waitFor } from '@grsai-jobs/testkit';
import { monotonicFactory } from 'ulid';
import { expect, onTestFinished, test } from 'vitest';

/** The contract of turns (design.md §2.9), with the real records and the real queue; only the paid call is left out. */

const MAX_TURN = 2_097_151;
const TURNS = '{gj}:turns';
const clock = { now: () => Date.now() };
const onError = () => undefined;

const docOf = (priority: JobDoc['priority']): JobDoc => ({
  ...JobRequest.parse({
    type: 'chat',
    input: { model: 'gemini-3.1-pro', messages: [{ role: 'user', content: 'hi' }] },
    priority,
  }),
  on_unknown_submit: 'resubmit',
});

/** One slot of a worker that says whose job it ran, and holds the next one when it is told to. */
async function startTurns() {
  const server = await startRedis();
  const redis = await connectRedis(server.url, 'consumer', { onError });
  const store = createJobStore({ redis, prefix: 'gj', clock });
  const producer = createProducer({ redis, prefix: 'gj', onError });
  const newUlid = monotonicFactory();
  const tenants = new Map<string, string>();
  const ran: string[] = [];
  const thrown: unknown[] = [];
  let held: { at: number; open: Promise<void>; release: () => void } | undefined;

  const consumer = createConsumer(
    'call',
    async ({ entry }) => {
      const token = randomUUID();
      const started = await store.transitions.startCall(
        entry,
        { token, limitMs: 60_000 },
        { maxInFlight: 0, callReserve: 0, callSlots: 0, rpm: 0 },
      );
      if (started.kind !== 'ok') throw new Error(`start of a call: ${started.kind}`);
      await producer.enqueueLetIn(started.letIn);
      ran.push(tenants.get(entry.id) ?? '');
      if (held && ran.length === held.at) await held.open;
      const end = await store.transitions.commit(started.job, { kind: 'finish', status: 'succeeded' });
      if (end.kind !== 'ok') throw new Error(`finish: ${end.kind}`);
      await producer.enqueueLetIn(end.letIn);
      return done;
    },
    {
      redis,
      prefix: 'gj',
      concurrency: 1,
      lockMs: 15_000,
      stalledMs: 5000,
      onError,
      onThrow: async (_work, error) => {
        thrown.push(error);
      },
    },
  );
  onTestFinished(async () => {
    held?.release();
    await consumer.stop();
    await producer.close();
    redis.disconnect();
    await server.stop();
  });

  const submit = async (tenant: string, priority: JobDoc['priority'] = 'normal') => {
    const id = jobId(newUlid(clock.now()));
    tenants.set(id, tenant);
    const created = await store.transitions.create({ id, tenant, doc: docOf(priority) });
    if (created.kind !== 'ok') throw new Error(created.kind);
    if (created.message !== null) await producer.enqueue(created.message);
    return created.job.turn;
  };

  return {
    redis,
    ran,
    thrown,
    start: () => consumer.start(),
    submit,
    submitMany: async (tenant: string, count: number) => {
      for (let n = 0; n < count; n += 1) await submit(tenant);
    },
    /** The job that is run as the `at`-th stays open until `release`. */
    holdAt: (at: number) => {
      let release = () => {};
      const open = new Promise<void>((resolve) => {
        release = resolve;
      });
      held = { at, open, release };
    },
    release: () => held?.release(),
    hasRun: (count: number) => waitFor(() => ran.length >= count, { timeoutMs: 30_000, what: `${count} jobs to run` }),
    idle: () => waitFor(async () => (await redis.zcard('{gj}:inflight')) === 0, { what: 'no job to be open' }),
  };
}

test('when 600 jobs of one tenant are queued then a single job of another runs within 3 turns, and a third tenant alternates', async () => {
  const turns = await startTurns();
  await turns.submitMany('a', 600);
  turns.holdAt(50);
  turns.start();
  await turns.hasRun(50);
  await turns.submit('b');
  await turns.submitMany('c', 100);
  turns.release();
  await turns.hasRun(701);

  expect(turns.ran.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => 'a'));
  const since = turns.ran.slice(50);
  expect(since.indexOf('b')).toBeLessThan(3);
  const others = since.filter((tenant) => tenant !== 'b').slice(0, 200);
  expect(others.filter((tenant) => tenant === 'c')).toHaveLength(100);
  for (let n = 0; n < 200; n += 2) expect(others.slice(n, n + 2).sort()).toEqual(['a', 'c']);
  expect(since.filter((tenant) => tenant === 'a')).toHaveLength(550);
  expect(turns.thrown).toEqual([]);
});

test('when a job is high or low then it runs before or after the normal ones of its tenant', async () => {
  const turns = await startTurns();
  for (const [label, priority] of [
    ['low', 'low'],
    ['normal', 'normal'],
    ['high', 'high'],
  ] as const)
    await turns.submit(label, priority);
  turns.start();
  await turns.hasRun(3);
  expect(turns.ran).toEqual(['high', 'normal', 'low']);
});

test('when V is at the limit of priorities then nothing throws and jobs still run, and turns begin from 0 when nothing is queued', async () => {
  const turns = await startTurns();
  await turns.redis.hset(TURNS, '#v', MAX_TURN);
  expect(await turns.submit('a')).toBe(MAX_TURN);
  expect(await turns.submit('a', 'low')).toBe(MAX_TURN);
  expect(await turns.submit('b')).toBe(MAX_TURN);
  turns.start();
  await turns.hasRun(3);
  expect([...turns.ran].sort()).toEqual(['a', 'a', 'b']);
  await turns.idle();
  expect(await turns.redis.exists(TURNS)).toBe(0);

  expect(await turns.submit('b')).toBe(1);
  await turns.hasRun(4);
  expect(turns.thrown).toEqual([]);
});

test('when the last queued job is open then turns go on, so that it can come back with the turn that it had', async () => {
  const turns = await startTurns();
  turns.holdAt(1);
  turns.start();
  expect(await turns.submit('a')).toBe(1);
  await turns.hasRun(1);
  expect(await turns.redis.hgetall(TURNS)).toMatchObject({ '#queued': '0', '#v': '1' });
  expect(await turns.submit('b')).toBe(2);
  turns.release();
  await turns.hasRun(2);
  await turns.idle();
  expect(await turns.redis.exists(TURNS)).toBe(0);
});
