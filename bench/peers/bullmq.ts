import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, Queue, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { answerQuestions } from '../lib/children.ts';
import { ATTEMPTS, CONCURRENCY, failedBy, type Outcome, type PeerJob, type PeerWorld, POLL_EVERY_MS } from './job.ts';
import { createOutside } from './outside.ts';

/**
 * The same whole job by BullMQ as its documentation (docs.bullmq.io) recommends it:
 * - the truth is a hash in Redis, the entry of a queue carries its id: "Going to production", *Protecting data*;
 * - one step after another, each kept before the next, so that a retry goes on where it stopped: "Patterns", *Process step jobs*, *Idempotent jobs*;
 * - the webhook is a job of its own with retries and an id of its own, so that it is added once: "Retrying failing jobs", "Job ids";
 * - an image waits in its slot for its task, whose number `concurrency` therefore is: "Workers", *Concurrency*;
 * - one connection for what is not blocking: "Connections", *Reusing an ioredis connection*; `maxRetriesPerRequest: null` for workers;
 * - done jobs are removed, failed ones kept: "Auto-removal of jobs"; an `error` handler on each: "Going to production".
 * A killed worker's jobs are found by the defaults of "Stalled jobs" (30 s for the lock, looked for every 30 s, once a job).
 */
export type BullQuestion =
  | { readonly ask: 'connect'; readonly url: string }
  | { readonly ask: 'add'; readonly jobs: readonly PeerJob[] }
  | { readonly ask: 'statuses' }
  | { readonly ask: 'work'; readonly world: PeerWorld; readonly images: number };

interface Entry {
  readonly id: string;
}

interface Kept {
  readonly doc: string;
  readonly status: string;
  readonly task?: string;
  readonly outcome?: string;
}

const AT_ONCE = 100;

const keyOf = (id: string): string => `job:${id}`;

const backoff = { type: 'exponential', delay: 5000, jitter: 0.2 };
const common = { removeOnComplete: true, removeOnFail: { count: 5000 } };

function connect(url: string) {
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  const queueOf = (name: string): Queue<Entry> => {
    const queue = new Queue<Entry>(name, { connection });
    queue.on('error', (error) => console.error(error));
    return queue;
  };
  return { connection, queues: { chat: queueOf('chat'), image: queueOf('image'), webhook: queueOf('webhook') } };
}

let store: ReturnType<typeof connect> | undefined;

async function add({ connection, queues }: NonNullable<typeof store>, jobs: readonly PeerJob[]): Promise<void> {
  const one = async (job: PeerJob): Promise<void> => {
    await connection.hset(keyOf(job.id), { doc: JSON.stringify(job), status: 'queued' });
    await queues[job.type].add(job.type, { id: job.id }, { ...common, jobId: job.id, attempts: ATTEMPTS.job, backoff });
  };
  for (let added = 0; added < jobs.length; added += AT_ONCE) await Promise.all(jobs.slice(added, added + AT_ONCE).map(one));
}

async function statuses({ connection }: NonNullable<typeof store>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for await (const keys of connection.scanStream({ match: keyOf('*'), count: 1000 })) {
    const found = await Promise.all((keys as string[]).map((key) => connection.hget(key, 'status')));
    for (const status of found) counts[status ?? ''] = (counts[status ?? ''] ?? 0) + 1;
  }
  return counts;
}

function work({ connection, queues }: NonNullable<typeof store>, world: PeerWorld, images: number): void {
  const outside = createOutside(world);
  const begin = async (id: string): Promise<Kept & { job: PeerJob }> => {
    const key = keyOf(id);
    const [, kept] = await Promise.all([connection.hset(key, { status: 'running' }), connection.hgetall(key)]);
    const read = kept as unknown as Kept;
    return { ...read, job: JSON.parse(read.doc) as PeerJob };
  };
  // Both go over one connection in this order: no webhook is queued before its result is kept.
  const end = async (id: string, outcome: Outcome): Promise<void> => {
    const webhook = { ...common, jobId: id, attempts: ATTEMPTS.webhook, backoff };
    await Promise.all([
      connection.hset(keyOf(id), { status: outcome.status, outcome: JSON.stringify(outcome) }),
      queues.webhook.add('webhook', { id }, webhook),
    ]);
  };
  const process = (run: (entry: Job<Entry>) => Promise<Outcome>) => async (entry: Job<Entry>) => {
    const { id } = entry.data;
    try {
      await end(id, await run(entry));
    } catch (error) {
      if (entry.attemptsMade + 1 < ATTEMPTS.job) throw error;
      await end(id, failedBy(error));
      throw new UnrecoverableError(String(error));
    }
  };

  const chat = async ({ data: { id } }: Job<Entry>): Promise<Outcome> => {
    const { job } = await begin(id);
    return { status: 'succeeded', result: await outside.chat(job.input) };
  };

  const image = async ({ data: { id } }: Job<Entry>): Promise<Outcome> => {
    const { job, task: known } = await begin(id);
    const task = known ?? (await outside.submit(job.input));
    if (known === undefined) {
      await connection.hset(keyOf(id), { task });
      await sleep(POLL_EVERY_MS);
    }
    for (;;) {
      const link = await outside.poll(task);
      if (link !== undefined) return { status: 'succeeded', result: await outside.store(id, link) };
      await sleep(POLL_EVERY_MS);
    }
  };

  const webhook = async ({ data: { id } }: Job<Entry>): Promise<void> => {
    const { doc, outcome } = (await connection.hgetall(keyOf(id))) as unknown as Kept;
    await outside.deliver(JSON.parse(doc) as PeerJob, JSON.parse(outcome ?? '') as Outcome);
    await connection.hset(keyOf(id), { webhook: 'delivered' });
  };

  const consume = (name: string, run: (entry: Job<Entry>) => Promise<void>, concurrency: number) =>
    new Worker<Entry>(name, run, { connection, concurrency }).on('error', (error) => console.error(error));
  consume('chat', process(chat), CONCURRENCY.call);
  consume('image', process(image), images);
  consume('webhook', webhook, CONCURRENCY.deliver);
}

answerQuestions(async (question: BullQuestion): Promise<unknown> => {
  if (question.ask === 'connect') {
    store = connect(question.url);
    return await store.queues.webhook.waitUntilReady().then(() => undefined);
  }
  if (store === undefined) throw new Error('connect first');
  switch (question.ask) {
    case 'add':
      return await add(store, question.jobs);
    case 'statuses':
      return await statuses(store);
    case 'work':
      return work(store, question.world, question.images);
  }
});
