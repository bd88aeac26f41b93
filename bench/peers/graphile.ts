import { type JobHelpers, Logger, makeWorkerUtils, run, type TaskList, type WorkerUtils } from 'graphile-worker';
import { answerQuestions } from '../lib/children.ts';
import { ATTEMPTS, CONCURRENCY, failedBy, type Outcome, type PeerJob, type PeerWorld, POLL_EVERY_MS } from './job.ts';
import { createOutside } from './outside.ts';

/**
 * The same whole job by graphile-worker 0.18 as its documentation (worker.graphile.org/docs) recommends it:
 * - the truth is a row of our own table, and what comes next is queued in the statement that changes it, so both are kept or neither:
 *   "SQL: add_job";
 * - a large job is split into smaller ones, so that a retry goes on where it stopped: "Task executors"; a task that runs is polled again by a job
 *   with a `run_at`, since a slot that only waits is one that nobody else has;
 * - batching, as "Performance" recommends for many jobs, with the numbers of its own fastest measurement for chats (a local queue of 500, completions
 *   batched without a delay) and of its first advice for images, whose jobs are slower (one more than the concurrency); prepared statements, the default;
 * - as many jobs at once as our worker has calls and webhooks, and two connections more ("Configuration", `maxPoolSize`);
 * - future jobs are looked for every 500 ms instead of 2 s ("Configuration", `pollInterval`), so that polls are as punctual as others';
 * - a job never fails for good within the queue but says so in its row ("Scaling tips"); webhooks are retried by its exponential back-off.
 * What a killed worker had in hand is locked for four hours, unless an operator unlocks it: "Error handling", "Administrative functions".
 */
export type GraphileQuestion =
  | { readonly ask: 'connect'; readonly url: string }
  | { readonly ask: 'add'; readonly jobs: readonly PeerJob[] }
  | { readonly ask: 'statuses' }
  | { readonly ask: 'work'; readonly world: PeerWorld }
  /** The workers that have jobs in hand. */
  | { readonly ask: 'holders' }
  | { readonly ask: 'unlock'; readonly holders: readonly string[] };

const SCHEMA = `
  create schema if not exists app;
  create table if not exists app.jobs (
    id text primary key,
    type text not null,
    status text not null default 'queued',
    input json not null,
    metadata json not null,
    webhook_url text not null,
    task_id text,
    outcome json,
    webhook text not null default 'pending',
    created_at timestamptz not null default now(),
    ended_at timestamptz
  )`;

interface Payload {
  readonly id: string;
  readonly link?: string;
}

interface Row {
  readonly id: string;
  readonly type: PeerJob['type'];
  readonly input: object;
  readonly metadata: PeerJob['metadata'];
  readonly webhook_url: string;
  readonly task_id: string | null;
  readonly outcome: Outcome | null;
}

/** Statements are prepared once a connection, under these names. */
const STATEMENTS = {
  add: `with job as (insert into app.jobs (id, type, input, metadata, webhook_url) values ($1, $2, $3, $4, $5) returning id, type)
    select graphile_worker.add_job(type, json_build_object('id', id), max_attempts => ${ATTEMPTS.job}) from job`,
  begin: `update app.jobs set status = 'running' where id = $1 returning *`,
  submitted: `with job as (update app.jobs set task_id = $2 where id = $1 returning id)
    select graphile_worker.add_job('poll', json_build_object('id', id), max_attempts => ${ATTEMPTS.job},
      run_at => now() + interval '${POLL_EVERY_MS} milliseconds') from job`,
  again: `select graphile_worker.add_job('poll', json_build_object('id', $1::text), max_attempts => ${ATTEMPTS.job},
      run_at => now() + interval '${POLL_EVERY_MS} milliseconds')`,
  ended: `with job as (update app.jobs set status = $2, outcome = $3, ended_at = now() where id = $1 returning id)
    select graphile_worker.add_job('webhook', json_build_object('id', id), max_attempts => ${ATTEMPTS.webhook}) from job`,
  read: `select * from app.jobs where id = $1`,
  delivered: `update app.jobs set webhook = 'delivered' where id = $1`,
} as const;

const quiet = new Logger(() => (level, message) => {
  if (level === 'error' || level === 'warning') console.error(message);
});

type WithPgClient = Pick<WorkerUtils, 'withPgClient'>;

async function execute(helpers: WithPgClient, name: keyof typeof STATEMENTS, values: unknown[]): Promise<Row[]> {
  return await helpers.withPgClient(async (client) => {
    const { rows } = await client.query<Row>({ name, text: STATEMENTS[name], values });
    return rows;
  });
}

const asJob = ({ webhook_url: webhookUrl, ...row }: Row): PeerJob => ({ ...row, webhookUrl });

function tasksOf(world: PeerWorld): TaskList {
  const outside = createOutside(world);
  const one = async (helpers: JobHelpers, statement: 'begin' | 'read', id: string): Promise<Row> => {
    const [row] = await execute(helpers, statement, [id]);
    if (row === undefined) throw new Error(`there is no job ${id}`);
    return row;
  };
  const end = async (helpers: JobHelpers, id: string, outcome: Outcome): Promise<void> => {
    await execute(helpers, 'ended', [id, outcome.status, JSON.stringify(outcome)]);
  };
  const task =
    (step: (payload: Payload, helpers: JobHelpers) => Promise<void>) => async (given: unknown, helpers: JobHelpers) => {
      const payload = given as Payload;
      try {
        await step(payload, helpers);
      } catch (error) {
        if (helpers.job.attempts < helpers.job.max_attempts) throw error;
        await end(helpers, payload.id, failedBy(error));
      }
    };
  return {
    chat: task(async ({ id }, helpers) => {
      const { input } = await one(helpers, 'begin', id);
      await end(helpers, id, { status: 'succeeded', result: await outside.chat(input) });
    }),
    image: task(async ({ id }, helpers) => {
      const { input, task_id } = await one(helpers, 'begin', id);
      await execute(helpers, 'submitted', [id, task_id ?? (await outside.submit(input))]);
    }),
    poll: task(async ({ id }, helpers) => {
      const { task_id } = await one(helpers, 'read', id);
      const link = await outside.poll(task_id ?? '');
      if (link === undefined) await execute(helpers, 'again', [id]);
      else await helpers.addJob('store', { id, link }, { maxAttempts: ATTEMPTS.job });
    }),
    store: task(async ({ id, link = '' }, helpers) => {
      await end(helpers, id, { status: 'succeeded', result: await outside.store(id, link) });
    }),
    webhook: async (given, helpers) => {
      const { id } = given as Payload;
      const row = await one(helpers, 'read', id);
      await outside.deliver(asJob(row), row.outcome ?? failedBy('no outcome'));
      await execute(helpers, 'delivered', [id]);
    },
  };
}

async function work(connectionString: string, world: PeerWorld): Promise<void> {
  const concurrentJobs = CONCURRENCY.call + CONCURRENCY.deliver;
  const localQueue = { size: world.s3 === undefined ? 500 : concurrentJobs + 1 };
  await run({
    taskList: tasksOf(world),
    logger: quiet,
    preset: {
      worker: {
        ...{ connectionString, concurrentJobs, maxPoolSize: concurrentJobs + 2, pollInterval: 500 },
        ...{ localQueue, completeJobBatchDelay: 0, failJobBatchDelay: 0 },
      },
    },
  });
}

const AT_ONCE = 10;

async function add(utils: WorkerUtils, jobs: readonly PeerJob[]): Promise<void> {
  const left = jobs[Symbol.iterator]();
  const some = async (): Promise<void> => {
    for (const { id, type, input, metadata, webhookUrl } of left)
      await execute(utils, 'add', [id, type, JSON.stringify(input), JSON.stringify(metadata), webhookUrl]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some));
}

/** The first column of each row. */
const column = async (utils: WorkerUtils, text: string): Promise<unknown[][]> =>
  await utils.withPgClient(async (client) => (await client.query<unknown[]>({ text, rowMode: 'array' })).rows);

let url = '';
let opened: WorkerUtils | undefined;

answerQuestions(async (question: GraphileQuestion): Promise<unknown> => {
  if (question.ask === 'connect') {
    url = question.url;
    opened = await makeWorkerUtils({ connectionString: url, logger: quiet });
    await opened.migrate();
    await column(opened, SCHEMA);
    return undefined;
  }
  if (opened === undefined) throw new Error('connect first');
  switch (question.ask) {
    case 'add':
      return await add(opened, question.jobs);
    case 'statuses':
      return Object.fromEntries(await column(opened, 'select status, count(*)::int from app.jobs group by 1'));
    case 'holders':
      return (await column(opened, 'select distinct locked_by from graphile_worker.jobs where locked_by is not null')).flat();
    case 'unlock':
      return await opened.forceUnlockWorkers([...question.holders]);
    case 'work':
      return await work(url, question.world);
  }
});
