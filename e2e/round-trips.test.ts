import { type RedisCommand, waitFor } from '@grsai-jobs/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { chat, image, type Stack, startStack } from './stack.ts';

/**
 * Requests to Redis from POST to delivered webhook, counted on the wire. A worker with work fetches the next entry
 * in the request that leaves the last one, and one that waits asks for it by itself: so each queue stands still until
 * all that comes to it waits there, and how busy the machine is makes no difference. What beats without jobs is left out by name,
 * and the periodic tasks by their queue.
 */
const IDLE = new Set([
  'bzpopmin',
  'xread',
  'ping',
  'info',
  'client',
  'hello',
  'config',
  'set',
  'hset',
  'zrange',
  'hmget',
  'hvals',
  'hexists',
  'smembers',
  'subscribe',
  'time',
  'eval',
]);

const isIdle = ({ name, args }: RedisCommand): boolean =>
  IDLE.has(name) || args.some((arg) => arg.startsWith('{gj-q}:maintain:'));

/** What one job of these costs; `then`: the queues that their way leads through behind the first one. */
async function requestsPerJob(stack: Stack, bodies: readonly object[], then: readonly string[]): Promise<number> {
  const redis = new Redis(stack.redis.url);
  onTestFinished(() => redis.disconnect());
  const setPaused = async (queue: string, paused: boolean) => {
    const answer = await stack.admin.send('PATCH', `/admin/v1/queues/${queue}`, { paused, reason: 'one queue after the other' });
    expect(answer.status).toBe(200);
  };
  /** Entries that would be taken if the queue were open. BullMQ keeps times in units of 1/4096 ms. */
  const held = async (queue: string) =>
    (await redis.llen(`{gj-q}:${queue}:wait`)) + (await redis.zcount(`{gj-q}:${queue}:delayed`, '-inf', Date.now() * 4096));

  for (const queue of then) await setPaused(queue, true);
  let requests = 0;
  stack.proxy.onCommand((command) => {
    if (!isIdle(command)) requests += 1;
  });
  await Promise.all(bodies.map(async (body) => await stack.tenant.post('/v1/jobs', body)));
  await stack.startWorker({ GRSAI_MAX_IN_FLIGHT: '0' });
  for (const queue of then) {
    const all = async () => (await held(queue)) === bodies.length;
    await waitFor(all, { timeoutMs: 60_000, what: `all jobs to come to ${queue}` });
    await setPaused(queue, false);
  }
  await stack.receiver.waitFor(bodies.length, { timeoutMs: 60_000 });
  return requests / bodies.length;
}

test('when chat jobs run then each costs 6 round trips to Redis from POST to delivered webhook', async () => {
  const stack = await startStack({ emulator: { chatMs: 5 }, workers: 0 });
  const jobs = Array.from({ length: 1000 }, (_, i) => chat(stack.receiver, `question ${i}`));
  const spent = await requestsPerJob(stack, jobs, []);
  expect(Math.round(spent)).toBeLessThanOrEqual(6);
});

test('when image jobs run then each costs 13 round trips and 2 for each poll', async () => {
  const stack = await startStack({ emulator: { taskMs: 100 }, workers: 0 });
  const jobs = Array.from({ length: 300 }, (_, i) => image(stack.receiver, `picture ${i}`));
  const spent = await requestsPerJob(stack, jobs, ['poll', 'store']);
  const polls = stack.emulator.requests.filter((request) => request.kind === 'result').length / jobs.length;
  expect(Math.round(spent)).toBeLessThanOrEqual(13 + 2 * polls);
});
