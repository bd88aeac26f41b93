import { fileURLToPath } from 'node:url';
import type { OverviewView } from '@grsai-jobs/jobs';
import { runScript, waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { chat, image, type Job, type Stack, startStack } from './stack.ts';

interface Readiness {
  pauses: Record<string, { reason: string; state: string }[]>;
}

const reasonsOf = async (stack: Stack, queue: string): Promise<string[]> =>
  ((await stack.admin.get<Readiness>('/readyz?verbose')).pauses[queue] ?? []).map((pause) => pause.reason);

const untilPaused = (stack: Stack, reason: string) =>
  waitFor(async () => (await reasonsOf(stack, 'submit')).includes(reason), { timeoutMs: 20_000, what: `a pause for ${reason}` });

/** A submit that the key was refused for is open until its own probe has said so: with a good key by then its outcome would be unknown. */
const untilNoCallIsOpen = (stack: Stack) =>
  waitFor(async () => (await stack.admin.get<OverviewView>('/admin/v1/overview')).jobs.in_flight === 0, {
    timeoutMs: 20_000,
    what: 'no call to be open',
  });

test('when upstream refuses our key, then has no credits, then both jobs wait without an attempt used up and run when the trouble is over', async () => {
  const stack = await startStack({ emulator: { keys: ['sk-another-key'] } });
  const send = async (body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;
  const ids = [
    await send(chat(stack.receiver, 'one', { max_attempts: 1 })),
    await send(image(stack.receiver, 'two', { max_attempts: 1 })),
  ];
  await untilPaused(stack, 'auth');
  expect(await reasonsOf(stack, 'poll')).toEqual([]);
  await untilNoCallIsOpen(stack);
  stack.emulator.setCredits(0);
  stack.emulator.configure({ keys: 'any' });
  await untilPaused(stack, 'balance');
  for (const id of ids) expect((await stack.tenant.job(id)).error).toBeNull();
  stack.emulator.setCredits(1_000_000);
  for (const id of ids) expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded' });
  expect(await reasonsOf(stack, 'submit')).toEqual([]);
  expect(
    stack.worker.lines.map((line) => line['event']).filter((event) => event === 'queues.resumed').length,
  ).toBeGreaterThanOrEqual(2);
  // A 429 with a time instead of seconds: the queue waits until then, says so, and goes on by itself.
  const until = Math.ceil(Date.now() / 1000) + 4;
  stack.emulator.script({ fault: `F3:retry-after=${until}`, on: 'submit' });
  const late = await send(image(stack.receiver, 'three', { max_attempts: 1 }));
  await untilPaused(stack, 'upstream_rate_limit');
  const { queues } = await stack.admin.get<OverviewView>('/admin/v1/overview');
  const submit = queues.find(({ name }) => name === 'submit');
  expect(submit).toMatchObject({ paused: true, pauses: [{ reason: 'upstream_rate_limit', state: 'paused' }] });
  expect(Math.abs(Date.parse(submit?.pauses[0]?.until ?? '') - until * 1000)).toBeLessThan(2000);
  expect(await stack.tenant.finished(late)).toMatchObject({ status: 'succeeded' });
  await waitFor(async () => (await reasonsOf(stack, 'submit')).length === 0, { timeoutMs: 10_000, what: 'the wait to be over' });
});

test('when upstream is down then calls pause after a handful, polls go on, and all jobs are done when it is back', async () => {
  const stack = await startStack({ emulator: { chatMs: 5 } });
  const [node] = stack.emulator.nodes;
  await node?.stop();
  const ids = await Promise.all(
    Array.from({ length: 40 }, async (_, i) => (await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, `q${i}`))).id),
  );
  await untilPaused(stack, 'upstream');
  expect(await reasonsOf(stack, 'poll')).toEqual([]);
  await node?.start();
  for (const id of ids) expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded' });
  const events = stack.worker.lines.map((line) => line['event']);
  expect(events).toContain('queues.half_open');
  await waitFor(async () => (await reasonsOf(stack, 'call')).length === 0, { timeoutMs: 40_000, what: 'the pause to end' });
});

test('when upstream refuses all submits with a text that nobody knows then a handful is made, chats go on, and an operator who opens it lets all run', async () => {
  const stack = await startStack({ workers: 2, env: { SUBMIT_CONCURRENCY: '2' }, emulator: { chatMs: 5, taskMs: 100 } });
  const text = '此路不通 7f3a2b1c';
  stack.emulator.script({ fault: `F20:as=refused,text=${encodeURIComponent(text)}`, on: 'submit', times: 10_000 });
  const send = async (body: object) => (await stack.tenant.post<Job>('/v1/jobs', body)).id;
  const ids = await Promise.all(Array.from({ length: 30 }, (_, i) => send(image(stack.receiver, `${i}`))));
  await untilPaused(stack, 'upstream_refusal');
  const overview = () => stack.admin.get<OverviewView>('/admin/v1/overview');
  await waitFor(async () => (await overview()).queues.find(({ name }) => name === 'submit')?.waiting === 0, {
    timeoutMs: 20_000,
    what: 'all entries to have been looked at',
  });
  const submit = (await overview()).queues.find(({ name }) => name === 'submit');
  expect(submit).toMatchObject({ paused: false, pauses: [{ reason: 'upstream_refusal', model: 'nano-banana-2', tenant: null }] });
  expect(submit?.pauses[0]?.detail).toContain(text);
  // Eight, and those that were open when the eighth was refused.
  const submits = () => stack.emulator.ledger.submits.filter(({ kind }) => kind !== 'chat').length;
  expect(submits()).toBeGreaterThanOrEqual(8);
  expect(submits()).toBeLessThanOrEqual(11);
  expect(await stack.tenant.finished(await send(chat(stack.receiver, 'hello')))).toMatchObject({ status: 'succeeded' });
  stack.emulator.reset();
  const cli = await runScript({
    entry: fileURLToPath(new URL('../apps/cli/src/main.ts', import.meta.url)),
    args: ['queues', 'open', 'submit', '--reason', 'upstream is well'],
    env: { GRSAI_JOBS_API: stack.url, GRSAI_JOBS_KEY: stack.admin.key },
  });
  expect(cli.stdout).toContain('submit');
  const ends = await Promise.all(ids.map(async (id) => await stack.tenant.finished(id)));
  expect(ends.filter(({ status }) => status === 'succeeded')).toHaveLength(22);
  expect(ends.filter(({ error }) => error?.code === 'upstream_failed')).toHaveLength(8);
  expect(await reasonsOf(stack, 'submit')).toEqual([]);
  const audit = await stack.admin.get<{ data: { action: string; detail: string }[] }>('/admin/v1/audit');
  expect(audit.data[0]).toMatchObject({ action: 'queue.change', detail: 'refusals of all models opened' });
});
