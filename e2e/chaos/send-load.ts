import { setTimeout as sleep } from 'node:timers/promises';
import { bodyOf, type PlannedJob } from './plan-jobs.ts';
import type { World } from './world.ts';

/** One answer to one POST. */
export interface Answer {
  readonly at: number;
  /** 0: no answer came. */
  readonly status: number;
  readonly id: string | undefined;
  readonly replayed: boolean;
  readonly text: string;
}

/** All answers to the POSTs of one key. */
export interface Sent {
  readonly job: PlannedJob;
  readonly answers: readonly Answer[];
}

const GIVE_UP_MS = 90_000;

/** Sends the load, each job under its key and again until an API takes it, as a careful client does. */
export function sendLoad(world: World, jobs: readonly PlannedJob[], startedAt: number): Promise<Sent[]> {
  return Promise.all(
    jobs.map(async (job) => {
      await sleep(Math.max(0, startedAt + job.atMs - Date.now()));
      const answers: Answer[] = [];
      const clients = job.twice ? [0, 1] : [job.n % world.clients.length];
      await Promise.all(clients.map((client) => untilTaken(world, job, client, answers)));
      const id = answers.find((answer) => answer.id !== undefined)?.id;
      if (job.cancelAfterMs !== undefined && id !== undefined) await cancel(world, id, job.cancelAfterMs);
      return { job, answers };
    }),
  );
}

async function untilTaken(world: World, job: PlannedJob, first: number, answers: Answer[]): Promise<void> {
  const giveUpAt = Date.now() + GIVE_UP_MS;
  for (let n = 0; Date.now() < giveUpAt; n += 1) {
    const answer = await post(world, job, (first + n) % world.clients.length);
    answers.push(answer);
    // Whatever is neither taken nor a trouble of the moment is for the checks.
    if (answer.status !== 0 && answer.status !== 503) return;
    await sleep(200 + 100 * Math.min(n, 8));
  }
}

async function post(world: World, job: PlannedJob, client: number): Promise<Answer> {
  const blank = { at: Date.now(), status: 0, id: undefined, replayed: false };
  try {
    const body = bodyOf(job, world.receiver.url);
    const response = await world.clients[client]?.send('POST', '/v1/jobs', body, { 'idempotency-key': job.key });
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
async function cancel(world: World, id: string, afterMs: number): Promise<void> {
  await sleep(afterMs);
  const giveUpAt = Date.now() + GIVE_UP_MS;
  for (let n = 0; Date.now() < giveUpAt; n += 1) {
    const answer = await world.clients[n % world.clients.length]?.send('POST', `/v1/jobs/${id}/cancel`).catch(() => undefined);
    if (answer !== undefined && answer.status !== 503) return;
    await sleep(500);
  }
}
