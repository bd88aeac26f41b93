import { freePort, waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { chat, createClient, image, type Job, type Stack, startStack } from './stack.ts';

/** What an operator is promised: so long after the answer a changed limit holds everywhere. */
const HOLDS_AFTER_MS = 5000;

const RATIO = '4:3';

/** Upstream's own books: how many tasks were alive when each task began that began later than `from`, itself among them. */
function aliveAtEachBegin({ emulator }: Stack, from: number): number[] {
  const { tasks } = emulator.ledger;
  return tasks
    .filter(({ createdAt }) => createdAt > from)
    .map(
      ({ createdAt: at }) =>
        tasks.filter((task) => task.createdAt <= at && (task.endedAt ?? Number.POSITIVE_INFINITY) > at).length,
    );
}

const alive = ({ emulator }: Stack) => emulator.ledger.tasksOf({ status: 'running' }).length;

async function setLimits(stack: Stack, limits: object): Promise<number> {
  const body = { ...limits, reason: 'a test' };
  const answer = await stack.admin.send('PUT', `/admin/v1/tenants/${stack.tenantName}`, body);
  expect(answer.status, await answer.text()).toBe(200);
  return Date.now();
}

test('when an operator lowers how much a tenant may have in flight, and raises it again, then within 5 s each limit holds on four workers', async () => {
  const stack = await startStack({
    workers: 4,
    quickTasks: true,
    emulator: { taskMs: { min: 200, max: 1500 } },
    env: { GRSAI_MAX_IN_FLIGHT: '80', SUBMIT_CONCURRENCY: '10' },
  });
  const lines = Array.from({ length: 300 }, (_, i) => ({
    custom_id: `l${i}`,
    type: 'image',
    input: { model: 'nano-banana-2', prompt: `line ${i}`, aspect_ratio: RATIO },
  }));
  await stack.tenant.post('/v1/batches', { items: lines });
  await waitFor(() => alive(stack) > 20, { timeoutMs: 20_000, what: 'more than 20 tasks at once' });

  for (const limit of [4, 12]) {
    const from = (await setLimits(stack, { max_in_flight: limit })) + HOLDS_AFTER_MS;
    const begins = () => aliveAtEachBegin(stack, from);
    // Upstream knows of an end before the worker that asks, so seldom all of them are alive there.
    await waitFor(() => begins().length > 2 * limit && Math.max(...begins()) > limit / 2, {
      timeoutMs: 40_000,
      what: `calls later than 5 s after the limit became ${limit}`,
    });
    expect(Math.max(...begins())).toBeLessThanOrEqual(limit);
  }
});

test('when an operator changes what a tenant may ask for then within 5 s another API follows', async () => {
  const stack = await startStack({ workers: 0 });
  const port = await freePort();
  await stack.startApi({ PORT: String(port) });
  const other = createClient(`http://127.0.0.1:${port}`, stack.tenant.key);
  const send = async (body: object) => {
    const answer = await other.send('POST', '/v1/jobs', body);
    return [answer.status, ((await answer.json()) as Partial<Job & { code: string }>).code].join(' ').trim();
  };
  const becomes = (body: object, wanted: string) =>
    waitFor(async () => (await send(body)) === wanted, { timeoutMs: HOLDS_AFTER_MS, what: `the other API to answer ${wanted}` });
  const [picture, text] = [image(stack.receiver), chat(stack.receiver)];
  expect([await send(picture), await send(text)]).toEqual(['202', '202']);

  await setLimits(stack, { models: ['gemini-3.1-pro'] });
  await becomes(picture, '403 model_not_allowed');
  expect(await send(text)).toBe('202');
  await setLimits(stack, { max_queued: 1 });
  await becomes(picture, '429 tenant_queue_full');
  await setLimits(stack, { requests_per_minute: 1 });
  await becomes(picture, '429 rate_limited');
  await setLimits(stack, {});
  await becomes(picture, '202');
});
