import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventFeed, Watcher } from '@grsai-jobs/job-store';
import type { Job } from '@grsai-jobs/jobs';
import { systemClock } from '@grsai-jobs/runtime';
import express from 'express';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Auth } from '../src/http/auth.ts';
import { routerOf } from '../src/http/route.ts';
import { watchJob } from '../src/routes/jobs/events.ts';

const ID = 'job_01K9ZV5W3N8Q2R4T6V8X0Z2B4D';
const JOB = { id: ID, tenant: 'acme', seq: 1, status: 'queued', stage: null, run: 1, progress: 0 } as Job;

/** The route over parts that the test holds: what watches, and when the record is read. */
async function startRoute(read: () => Promise<Job>) {
  const watchers = new Set<Watcher>();
  const closed = Promise.withResolvers<void>();
  const feed: EventFeed = {
    name: 'events',
    known: () => [],
    watch: (_id, watcher) => {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    caughtUp: async () => undefined,
    stop: async () => undefined,
  };
  const signIn: ReturnType<Auth['requireScope']> = (_request, response, next) => {
    response.locals['principal'] = { tenant: 'acme' };
    response.on('close', closed.resolve);
    next();
  };
  const auth: Auth = { requireScope: () => signIn };
  const app = express().use(
    routerOf([watchJob], {
      auth,
      jobs: { read },
      feed,
      keyEnds: () => new AbortController().signal,
      clock: systemClock,
      heartbeatMs: 60_000,
      lasts: () => undefined,
    }),
  );
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const leave = new AbortController();
  const answer = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/jobs/${ID}/events`, {
    headers: { accept: 'text/event-stream' },
    signal: leave.signal,
  });
  return { watchers, closed: closed.promise, leave, answer };
}

test('when a watcher leaves before its stream is open then nothing of it stays', async () => {
  const asked = Promise.withResolvers<void>();
  const record = Promise.withResolvers<Job>();
  const route = await startRoute(() => {
    asked.resolve();
    return record.promise;
  });
  route.answer.catch(() => undefined);
  await asked.promise;
  route.leave.abort();
  await route.closed;
  const heartbeats = vi.spyOn(globalThis, 'setInterval');
  onTestFinished(() => heartbeats.mockRestore());
  record.resolve(JOB);
  await new Promise((resolve) => setImmediate(resolve));
  expect(heartbeats).not.toHaveBeenCalled();
  expect(route.watchers.size).toBe(0);
});

test('when events may have been missed then the stream ends, so that its watcher comes back and gets the state', async () => {
  const route = await startRoute(async () => JOB);
  const response = await route.answer;
  for (const watcher of route.watchers) watcher.missed();
  expect(await response.text()).toContain('event: job.queued');
  await route.closed;
  expect(route.watchers.size).toBe(0);
});
