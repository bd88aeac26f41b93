import { expect, test } from 'vitest';
import { chat, image, type Stack, startStack } from './stack.ts';

/**
 * Requests to Redis from POST to delivered webhook (design §10), counted on the wire. The jobs are queued before the
 * worker starts, since a worker with work fetches the next entry in the same request that leaves the last one. What
 * beats without jobs is left out by name.
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

async function requestsPerJob(stack: Stack, bodies: readonly object[]): Promise<number> {
  stack.proxy.resetCounts();
  await Promise.all(bodies.map(async (body) => await stack.tenant.post('/v1/jobs', body)));
  await stack.startWorker({ GRSAI_MAX_IN_FLIGHT: '0' });
  await stack.receiver.waitFor(bodies.length, { timeoutMs: 60_000 });
  const counted = Object.entries(stack.proxy.counts).filter(([name]) => !IDLE.has(name));
  return counted.reduce((sum, [, n]) => sum + n, 0) / bodies.length;
}

test('when chat jobs run then each costs 9 round trips to Redis from POST to delivered webhook', async () => {
  const stack = await startStack({ emulator: { chatMs: 5 }, workers: 0 });
  const spent = await requestsPerJob(
    stack,
    Array.from({ length: 1000 }, (_, i) => chat(stack.receiver, `question ${i}`)),
  );
  expect(Math.round(spent)).toBeLessThanOrEqual(9);
});

test('when image jobs run then each costs 16 round trips and 2 for each look', async () => {
  const stack = await startStack({ emulator: { taskMs: 100 }, workers: 0 });
  const jobs = Array.from({ length: 300 }, (_, i) => image(stack.receiver, `picture ${i}`));
  const spent = await requestsPerJob(stack, jobs);
  const looks = stack.emulator.requests.filter((request) => request.kind === 'result').length / jobs.length;
  expect(Math.round(spent)).toBeLessThanOrEqual(16 + 2 * looks);
});
