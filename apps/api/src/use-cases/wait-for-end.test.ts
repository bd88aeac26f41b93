import type { EventFeed, Watcher } from '@grsai-jobs/job-store';
import type { Job, JobRecord } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { createWaitForEnd } from './wait-for-end.ts';

const job = (status: Job['status'], seq: number) => ({ id: 'job_1', status, seq }) as Job;

/** Somebody who waits for a job, and what they hear of it. */
function startWait() {
  const store = { now: job('running', 2), away: false };
  const timers: { ms: number; run: () => void }[] = [];
  let watcher: Watcher | undefined;
  const feed: Pick<EventFeed, 'known' | 'watch'> = {
    known: () => [],
    watch: (_, own) => {
      watcher = own;
      return () => undefined;
    },
  };
  const waitForEnd = createWaitForEnd({
    feed: feed as EventFeed,
    jobs: {
      read: async () => {
        if (store.away) throw new Error('Redis is away');
        return store.now;
      },
    },
    timers: {
      after: (ms, run) => {
        const timer = { ms, run };
        timers.push(timer);
        return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
      },
    },
  });
  let answer: JobRecord | undefined;
  const left = new AbortController();
  const ended = waitForEnd(job('running', 2), LIMIT_MS, left.signal).then((now) => {
    answer = now;
    return now;
  });
  return {
    store,
    ended,
    timers,
    missed: () => watcher?.missed(),
    leave: () => left.abort(),
    /** What was put off, but for the limit, is done. */
    later: () => {
      for (const each of timers.filter(({ ms }) => ms < LIMIT_MS)) {
        timers.splice(timers.indexOf(each), 1);
        each.run();
      }
    },
    settle: () => new Promise<void>((resolve) => setImmediate(resolve)),
    answered: () => answer,
  };
}

const LIMIT_MS = 3_600_000;

test('when events were missed and the record cannot be read then it is read again until it can be', async () => {
  const wait = startWait();
  wait.store.away = true;
  wait.missed();
  await wait.settle();
  wait.store.now = job('succeeded', 3);
  wait.later();
  await wait.settle();
  expect(wait.answered()).toBeUndefined();
  wait.store.away = false;
  wait.later();
  await wait.settle();
  expect(wait.answered()).toMatchObject({ status: 'succeeded' });
  expect(wait.timers).toEqual([]);
});

test('when somebody leaves while the record cannot be read then nothing of the wait stays', async () => {
  const wait = startWait();
  wait.store.away = true;
  wait.missed();
  await wait.settle();
  wait.leave();
  await wait.ended;
  expect(wait.timers).toEqual([]);
});
