import { freePort, waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { chat, createClient, type Job, startStack } from './stack.ts';

const DAY_MS = 24 * 3600_000;
const PRELOAD = { NODE_OPTIONS: `--import=${new URL('./shifted-date.ts', import.meta.url)}` };

test('when the clock of a worker is set eight days ahead then it turns unready and takes nothing, no record goes, each webhook is signed with the right time, and set right it works again', async () => {
  const stack = await startStack({ workers: 0 });
  const healthPort = await freePort();
  const shifted = await stack.startWorker({ ...PRELOAD, CLOCK_SHIFT_MS: String(8 * DAY_MS), HEALTH_PORT: String(healthPort) });
  const readiness = async () => (await (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).json()) as { status: string };
  const ended = () => shifted.lines.filter(({ event }) => event === 'job.ended').length;
  const send = async (text: string) => (await stack.tenant.post<Job>('/v1/jobs', chat(stack.receiver, text))).id;
  const before = await send('before');
  expect(await stack.tenant.finished(before)).toMatchObject({ status: 'succeeded' });

  shifted.kill('SIGUSR2');
  await shifted.waitForLine(({ event, msg }) => event === 'clock.differs' && /8 days ahead of that of Redis/.test(`${msg}`));
  expect(await readiness()).toEqual({ status: 'failing', failing: ['clock'] });
  const waiting = await send('waits for a worker with the right time');
  // One that starts with a wrong clock begins nothing either.
  const hourBehind = await stack.startWorker({ ...PRELOAD, CLOCK_SHIFT_MS: String(-3600_000), CLOCK_STARTS: 'shifted' });
  await hourBehind.waitForLine(({ event, msg }) => event === 'clock.differs' && /60 min behind/.test(`${msg}`));
  const apiPort = await freePort();
  await stack.startApi({ ...PRELOAD, CLOCK_SHIFT_MS: '3600000', CLOCK_STARTS: 'shifted', PORT: String(apiPort) });
  const hourAhead = createClient(`http://127.0.0.1:${apiPort}`, stack.env.ADMIN_API_KEY);
  expect(await (await hourAhead.send('GET', '/readyz')).json()).toEqual({ status: 'failing', failing: ['clock'] });
  const accepted = await hourAhead.post<{ id: string }>(
    '/v1/jobs',
    chat(stack.receiver, 'by an API that is ahead', { webhook: undefined }),
  );
  const right = await stack.startWorker();
  const ids = await Promise.all(Array.from({ length: 12 }, (_, n) => send(`question ${n}`)));
  expect(await hourAhead.finished(accepted.id)).toMatchObject({ status: 'succeeded' });
  const { created_at } = await hourAhead.get<{ created_at: string }>(`/v1/jobs/${accepted.id}`);
  expect(Math.abs(Date.parse(created_at) - Date.now())).toBeLessThan(60_000);
  for (const id of [waiting, ...ids]) expect(await stack.tenant.finished(id)).toMatchObject({ status: 'succeeded', run: 1 });
  expect([ended(), hourBehind.lines.filter(({ event }) => event === 'job.ended').length]).toEqual([1, 0]);
  expect((await stack.tenant.job(before)).status).toBe('succeeded');
  await stack.receiver.waitFor(14);
  for (const { headers, at } of stack.receiver.received)
    expect(Math.abs(Number(headers['webhook-timestamp']) * 1000 - at)).toBeLessThan(10_000);

  right.kill('SIGTERM');
  await right.exited;
  shifted.kill('SIGUSR2');
  await shifted.waitForLine(({ event }) => event === 'clock.agrees');
  expect(await stack.tenant.finished(await send('after'))).toMatchObject({ status: 'succeeded' });
  await waitFor(async () => (await readiness()).status === 'ok', { what: 'the worker to be ready' });

  // A stop is clean while nothing is taken: of one that has never begun, and of one that was held at work.
  const differs = () => shifted.lines.filter(({ event }) => event === 'clock.differs').length;
  shifted.kill('SIGUSR2');
  await waitFor(() => differs() === 2, { what: 'the worker to be held once more' });
  for (const held of [hourBehind, shifted]) {
    held.kill('SIGTERM');
    expect(await held.exited).toEqual({ code: 0, signal: null });
  }
});
