import type { StreamLine, StreamWatcher } from '@grsai-jobs/job-store';
import type { JobRecord } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { createFollowStream, type StreamEvent } from './follow-stream.ts';

const TEXT = 'x'.repeat(1000);
const lineOf = (first: number, more: Partial<StreamLine> = {}): StreamLine => ({
  ...{ attempt: 2, writer: 'w', number: 1, first, count: 1, at: first - 1, whole: false },
  pieces: JSON.stringify([{ choices: [{ index: 0, delta: { content: `${first}:${TEXT}` }, finish_reason: null }] }]),
  ...more,
});

/** A reader of a stream that the test writes, and what it has read of what is kept. */
function startReader() {
  const kept: StreamLine[] = [];
  const read = { lines: 0, away: false };
  const waits: (() => void)[] = [];
  let watcher: StreamWatcher | undefined;
  const ended = Promise.withResolvers<JobRecord>();
  const follow = createFollowStream({
    streams: {
      read: async (_, at, most) => {
        if (read.away) throw new Error('Redis is away');
        const lines = kept.slice(at, at + most);
        read.lines += lines.length;
        return lines;
      },
    },
    feed: {
      watch: (_, own) => {
        watcher = own;
        return () => undefined;
      },
    },
    waitForEnd: () => ended.promise,
    readCompletion: async () => ({ kind: 'away' }),
    timers: {
      after: (_, run) => {
        waits.push(run);
        return () => undefined;
      },
    },
  });
  const events = follow({ id: 'job_1' } as JobRecord, { after: 0, ms: 1000, gone: new AbortController().signal });
  return {
    events,
    read,
    /** What was put off, is done. */
    later: () => {
      for (const run of waits.splice(0)) run();
    },
    missed: (line: StreamLine) => {
      kept.push(line);
      watcher?.missed();
    },
    write: (line: StreamLine) => {
      kept.push(line);
      watcher?.line(line);
    },
    end: () => ended.resolve({ id: 'job_1', ver: 9, status: 'succeeded', output: { kind: 'chat' } } as JobRecord),
  };
}

const firstsOf = (events: readonly StreamEvent[]) => events.flatMap(({ kind, id }) => (kind === 'piece' ? [id - 2_000_000] : []));

test('when a reader takes nothing for a while then what comes meanwhile is not held for it, and is read when it goes on', async () => {
  const { events, read, write, end } = startReader();
  const next = events.next();
  write(lineOf(1));
  const seen = [(await next).value as StreamEvent];
  for (let n = 2; n <= 1000; n += 1) write(lineOf(n));
  write(lineOf(1001, { count: 0, pieces: '[]', whole: true, at: 1000 }));
  end();
  for await (const event of events) seen.push(event);
  expect(firstsOf(seen)).toEqual(Array.from({ length: 1000 }, (_, n) => n + 1));
  expect(seen.at(-1)).toMatchObject({ kind: 'end', complete: true });
  expect(read.lines).toBeGreaterThan(900);
});

test('when a reader keeps up then nothing is read twice', async () => {
  const { events, read, write, end } = startReader();
  const seen: StreamEvent[] = [];
  for (let n = 1; n <= 100; n += 1) {
    const next = events.next();
    write(lineOf(n, n === 100 ? { whole: true } : {}));
    seen.push((await next).value as StreamEvent);
  }
  expect(read.lines).toBe(0);
  end();
  for await (const event of events) seen.push(event);
  expect(firstsOf(seen)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
});

test('when lines were missed and Redis cannot be read yet then they are read a moment later, before anything else comes', async () => {
  const { events, read, later, missed, write } = startReader();
  const first = events.next();
  write(lineOf(1));
  await first;
  const next = events.next();
  read.away = true;
  missed(lineOf(2));
  await new Promise(setImmediate);
  read.away = false;
  later();
  expect(firstsOf([(await next).value as StreamEvent])).toEqual([2]);
});

test('when the stored answer cannot be read, and not all of it came, then the end says so', async () => {
  const { events, write, end } = startReader();
  const next = events.next();
  write(lineOf(1));
  await next;
  end();
  expect(await events.next()).toMatchObject({ value: { kind: 'end', complete: false } });
});
