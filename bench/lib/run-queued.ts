import type { SinksCount, SinksQuestion } from '../stand-ins/sinks.ts';
import type { Asked, Child } from './children.ts';
import { cpuSince } from './cpu.ts';
import type { Sample } from './sample.ts';

/** A chat call may be made again when its worker was silent for longer than a lock, as happens on a busy machine. */
const REPEATED = 0.01;

/** What queued chats take, from the first call of a new worker to the last webhook. */
export async function runQueued(
  sinks: Asked<SinksQuestion>,
  jobs: number,
  storePid: number,
  startWorker: () => Promise<Child>,
): Promise<Sample> {
  await sinks.ask({ ask: 'expect', jobs });
  const worker = await startWorker();
  await Promise.race([sinks.ask({ ask: 'called', times: 1 }), worker.broken]);
  const used = cpuSince({ own: worker.pid, redis: storePid, driver: sinks.pid });
  const count = await Promise.race([sinks.ask<SinksCount>({ ask: 'last' }), worker.broken]);
  const cpu = used(jobs);
  await worker.stop();
  if (count.calls < jobs || count.calls > jobs * (1 + REPEATED) || count.webhooks !== jobs)
    throw new Error(`${jobs} jobs made ${count.calls} calls and ${count.webhooks} webhooks`);
  return { perSecond: jobs / count.seconds, cpu };
}
