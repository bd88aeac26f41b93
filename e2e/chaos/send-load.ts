import { setTimeout as sleep } from 'node:timers/promises';
import { bodyOf, type PlannedJob } from './plan-jobs.ts';
import type { Tenant } from './tenants.ts';
import type { World } from './world.ts';

/** One answer to one POST. */
export interface Answer {
  readonly at: number;
  /** 0: no answer came. */
  readonly status: number;
  /** Of the job; in the answers to a batch the batch's. */
  readonly id: string | undefined;
  readonly replayed: boolean;
  readonly text: string;
}

/** All answers to the POSTs of one key; for a line of a batch those to the batch, with the id that stands behind its line. */
interface Sent {
  readonly job: PlannedJob;
  readonly answers: readonly Answer[];
}

export interface SentBatch {
  readonly jobs: readonly PlannedJob[];
  readonly answers: readonly Answer[];
}

export interface Load {
  readonly sent: readonly Sent[];
  readonly batches: readonly SentBatch[];
}

interface Post {
  readonly path: '/v1/jobs' | '/v1/batches';
  readonly tenant: Tenant;
  readonly key: string;
  readonly body: object;
}

const GIVE_UP_MS = 90_000;

/** Sends the load, each job or batch under its key and again until an API takes it, as a careful client does. */
export async function sendLoad(world: World, jobs: readonly PlannedJob[], startedAt: number): Promise<Load> {
  const lines = Map.groupBy(jobs, (job) => job.batch);
  const alone = lines.get(undefined) ?? [];
  lines.delete(undefined);
  const [sent, batches] = await Promise.all([
    Promise.all(alone.map(async (job) => await sendJob(world, job, startedAt))),
    Promise.all([...lines.values()].map(async (each) => await sendBatch(world, each, startedAt))),
  ]);
  return { sent: [...sent, ...(await Promise.all(batches.map(async (batch) => await sentLines(world, batch)))).flat()], batches };
}

async function sendJob(world: World, job: PlannedJob, startedAt: number): Promise<Sent> {
  const { tenant, key } = job;
  const post = { path: '/v1/jobs', tenant, key, body: bodyOf(job, world.receivers[tenant].url) } as const;
  const answers = await sendPlanned(world, job, post, startedAt);
  const id = answers.find((answer) => answer.id !== undefined)?.id;
  if (job.cancelAfterMs !== undefined && id !== undefined) await cancel(world, tenant, id, job.cancelAfterMs);
  return { job, answers };
}

/** All goes by the first of its lines: when it is sent, its key, and whether to both APIs. */
async function sendBatch(world: World, jobs: readonly PlannedJob[], startedAt: number): Promise<SentBatch> {
  const [first] = jobs;
  if (first === undefined) return { jobs, answers: [] };
  const { url } = world.receivers[first.tenant];
  const items = jobs.map((job) => ({ custom_id: `n${job.n}`, ...bodyOf(job, url) }));
  const body = { webhook: { url }, items };
  const post = { path: '/v1/batches', tenant: first.tenant, key: `batch-${first.key}`, body } as const;
  return { jobs, answers: await sendPlanned(world, { ...first, twice: true }, post, startedAt) };
}

async function sentLines(world: World, { jobs, answers }: SentBatch): Promise<Sent[]> {
  const lists = await Promise.all(answers.map(async ({ id }) => (id === undefined ? [] : await world.eye.batchJobs(id))));
  return jobs.map((job, line) => ({ job, answers: answers.map((answer, i) => ({ ...answer, id: lists[i]?.[line] })) }));
}

async function sendPlanned(world: World, job: PlannedJob, post: Post, startedAt: number): Promise<Answer[]> {
  await sleep(Math.max(0, startedAt + job.atMs - Date.now()));
  const answers: Answer[] = [];
  const clients = job.twice ? [0, 1] : [job.n % world.operators.length];
  await Promise.all(clients.map((client) => untilTaken(world, post, client, answers)));
  return answers;
}

async function untilTaken(world: World, what: Post, first: number, answers: Answer[]): Promise<void> {
  const giveUpAt = Date.now() + GIVE_UP_MS;
  for (let n = 0; Date.now() < giveUpAt; n += 1) {
    const answer = await post(world, what, (first + n) % world.operators.length);
    answers.push(answer);
    // Whatever is neither taken nor a trouble of the moment is for the checks.
    if (answer.status !== 0 && answer.status !== 503 && !isStillRead(answer) && !isLimited(answer)) return;
    await sleep(200 + 100 * Math.min(n, 8));
  }
}

/** The same batch is on its way in by another request, or was when its API died. */
export const isStillRead = ({ status, text }: Answer): boolean => status === 409 && text.includes('idempotency_key_in_use');

/** By a limit or the budget of its tenant, which the operator changes. */
export const isLimited = ({ status }: Answer): boolean => status === 402 || status === 429;

async function post(world: World, { path, tenant, key, body }: Post, client: number): Promise<Answer> {
  const blank = { at: Date.now(), status: 0, id: undefined, replayed: false };
  try {
    const response = await world.clients[tenant][client]?.send('POST', path, body, { 'idempotency-key': key });
    if (response === undefined) return { ...blank, text: 'no such API' };
    const text = await response.text();
    const replayed = response.headers.get('idempotent-replayed') === 'true';
    const id = response.status === 202 ? (JSON.parse(text) as { id: string }).id : undefined;
    return { ...blank, status: response.status, id, replayed, text: text.slice(0, 300) };
  } catch (error) {
    return { ...blank, text: String(error) };
  }
}

/** Tried until an API takes it; a job that has ended meanwhile is a 409. */
async function cancel(world: World, tenant: Tenant, id: string, afterMs: number): Promise<void> {
  await sleep(afterMs);
  const giveUpAt = Date.now() + GIVE_UP_MS;
  for (let n = 0; Date.now() < giveUpAt; n += 1) {
    const clients = world.clients[tenant];
    const answer = await clients[n % clients.length]?.send('POST', `/v1/jobs/${id}/cancel`).catch(() => undefined);
    if (answer !== undefined && answer.status !== 503 && answer.status !== 429) return;
    await sleep(500);
  }
}
