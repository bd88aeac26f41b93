import type { Consumer, Handler, Outcome, QueueName } from '@grsai-jobs/queue';
import { expect, test } from 'vitest';
import { simulation } from '../../test/processes.ts';
import type { Gate, RoundTrip } from '../index.ts';

const LOCK_MS = 1000;
const STALLED_MS = 500;
const done: Outcome = { kind: 'done' };

type Process = ReturnType<ReturnType<typeof simulation>['start']>;

const toStore = (id: string) =>
  ({ queue: 'store', id, step: 1, batch_id: null, turn: 0, priority: 'normal', delayMs: 0 }) as const;
const toCall = (id: string, turn: number) => ({ ...toStore(id), queue: 'call', turn }) as const;

/** Starts a consumer of a process, with what its owner hears. */
function consume(process: Process, name: QueueName, handler: Handler, concurrency = 1): Consumer & { errors: string[] } {
  const errors: string[] = [];
  const consumer = process.createConsumer(name, handler, {
    ...{ concurrency, lockMs: LOCK_MS, stalledMs: STALLED_MS },
    onError: ({ message }) => errors.push(message),
    onThrow: async () => undefined,
  });
  consumer.start();
  return { ...consumer, errors };
}

/** A handler whose entries stay open until the test ends them. */
function held() {
  const runs: { id: string; stalled: boolean; leave: (outcome: Outcome) => void }[] = [];
  const handler: Handler = ({ entry, stalled }) => new Promise((leave) => runs.push({ id: entry.id, stalled, leave }));
  return { runs, handler, ids: () => runs.map(({ id }) => id) };
}

/** Redis executes it, and the answer of the first that `fits` is lost with the connection. */
function losing(fits: (answer: unknown, trip: RoundTrip) => boolean) {
  let lost = false;
  return (trip: RoundTrip) => {
    trip.execute();
    if (lost || !fits(trip.answers?.[0], trip)) {
      trip.answer();
      return;
    }
    lost = true;
    trip.cut();
  };
}

const answers = (trip: RoundTrip) => {
  trip.execute();
  trip.answer();
};

const tookOne = (answer: unknown) => Array.isArray(answer) && typeof answer[0] === 'string' && answer[0] !== '';

test('when one entry comes and many consumers wait then one of them looks, and none of the others', async () => {
  const { start, until, pass, time } = simulation();
  const { producer } = start();
  let ran = 0;
  const processes = Array.from({ length: 5 }, () => start());
  const handler: Handler = async () => {
    ran += 1;
    return done;
  };
  for (const process of processes) consume(process, 'store', handler);
  await producer.enqueue(toStore('job_0'));
  await until(() => ran === 1, 'a run after which Redis knows the scripts');
  await time.settled();
  const sent = () => processes.reduce((sum, process) => sum + process.sent, 0);
  const before = sent();
  await producer.enqueue(toStore('job_A'));
  await until(() => ran === 2, 'the run');
  await pass(1);
  // The look that takes it, and the word that it is done.
  expect(sent() - before).toBe(2);
});

test('when nothing happens for a minute then a consumer asks only for stalled entries, and looks every five seconds', async () => {
  const { start, pass } = simulation();
  const process = start();
  consume(process, 'store', async () => done, 10);
  await pass(0);
  const before = process.sent;
  await pass(60_000);
  expect(process.sent - before).toBe(60_000 / STALLED_MS + 60_000 / 5000);
});

test('when entries come while slots are free or become free then none waits for the next look', async () => {
  const { start, until, pass, time } = simulation();
  const { producer } = start();
  const { handler, runs } = held();
  consume(start(), 'store', handler, 2);
  const began = time.now();
  for (const n of [1, 2, 3, 4]) {
    await producer.enqueue(toStore(`job_${n}`));
    await pass(1);
  }
  await until(() => runs.length === 2, 'two slots');
  runs[0]?.leave(done);
  await until(() => runs.length === 3, 'the third');
  runs[1]?.leave(done);
  runs[2]?.leave(done);
  await until(() => runs.length === 4, 'the fourth');
  await producer.enqueue(toStore('job_5'));
  await until(() => runs.length === 5, 'the fifth, beside the fourth');
  expect(time.now() - began).toBeLessThan(100);
});

test('when an entry comes while the answer of a look is under way then it is taken as soon as that has come', async () => {
  const { start, until, time } = simulation();
  const { producer } = start();
  const { handler, runs } = held();
  const trips: RoundTrip[] = [];
  const handle = (trip: RoundTrip) => {
    trip.execute();
    trips.push(trip);
  };
  consume(start({ handle }), 'store', handler);
  await time.settled();
  await producer.enqueue(toStore('job_A'));
  const began = time.now();
  const handled = () => {
    for (const trip of trips.splice(0)) trip.answer();
    return runs.length === 1;
  };
  await until(handled, 'the entry');
  expect(time.now() - began).toBeLessThan(50);
});

test('when a slot ends while a look for another is under way then what comes meanwhile is taken as soon as the look has its answer', async () => {
  const { start, until, pass, time } = simulation();
  const { producer } = start();
  const { handler, runs } = held();
  const process = start();
  const consumer = consume(process, 'store', handler, 1);
  await producer.enqueue(toStore('job_A'));
  await until(() => runs.length === 1, 'the first');
  const trips: RoundTrip[] = [];
  process.handle = (trip) => {
    trip.execute();
    trips.push(trip);
  };
  await consumer.setConcurrency(2);
  const [look] = trips.splice(0);
  process.handle = answers;
  runs[0]?.leave(done);
  await time.settled();
  const began = time.now();
  await producer.enqueue(toStore('job_B'));
  await pass(1);
  look?.answer();
  await until(() => runs.length === 2, 'the second');
  expect(time.now() - began).toBeLessThan(50);
});

test('when one has lost its connection then another is woken, and the one that is back looks at once', async () => {
  const { start, until, time } = simulation();
  const { producer } = start();
  const { handler, ids } = held();
  const [first, second] = [start(), start()];
  for (const process of [first, second]) consume(process, 'store', handler);
  await time.settled();
  const began = time.now();
  first.client.cut();
  await producer.enqueue(toStore('job_A'));
  await until(() => ids().length === 1, 'the second to take it');
  await producer.enqueue(toStore('job_B'));
  first.client.connect();
  await until(() => ids().length === 2, 'the first to be back');
  expect(time.now() - began).toBeLessThan(50);
});

test('when the concurrency is raised while all slots are taken then what waits begins at once', async () => {
  const { start, until, time } = simulation();
  const { producer } = start();
  const { handler, runs } = held();
  const consumer = consume(start(), 'store', handler);
  for (const n of [1, 2, 3]) await producer.enqueue(toStore(`job_${n}`));
  await until(() => runs.length === 1, 'the first');
  const began = time.now();
  await consumer.setConcurrency(3);
  await until(() => runs.length === 3, 'all');
  expect(time.now()).toBe(began);
  await expect(consumer.setConcurrency(0)).rejects.toThrow('concurrency');
});

test('when an entry comes while the answer to the end of another is under way then it is taken as soon as that has come', async () => {
  const { start, until, pass, time } = simulation();
  const { producer } = start();
  const { handler, runs } = held();
  const process = start();
  consume(process, 'store', handler);
  await producer.enqueue(toStore('job_0'));
  await until(() => runs.length === 1, 'one after which Redis knows the scripts');
  runs[0]?.leave(done);
  await producer.enqueue(toStore('job_A'));
  await until(() => runs.length === 2, 'the first');
  const trips: RoundTrip[] = [];
  process.handle = (trip) => {
    trip.execute();
    trips.push(trip);
  };
  runs[1]?.leave(done);
  await time.settled();
  await producer.enqueue(toStore('job_B'));
  await pass(1);
  process.handle = answers;
  const began = time.now();
  for (const trip of trips) trip.answer();
  await until(() => runs.length === 3, 'the second');
  expect(time.now() - began).toBeLessThan(50);
});

test('when entries are due one after another then none waits for a look, while slots are taken and when their process stops', async () => {
  const { start, until, time } = simulation();
  const { producer } = start();
  const { handler, runs } = held();
  const stopping = consume(start(), 'store', handler, 2);
  const began = time.now();
  for (const ms of [100, 200]) await producer.enqueue({ ...toStore(`job_${ms}`), delayMs: ms });
  await until(() => runs.length === 2, 'both');
  expect(time.now() - began).toBe(200);
  consume(start(), 'store', handler);
  await time.settled();
  const stop = stopping.stop();
  runs[0]?.leave({ kind: 'wait', ms: 50 });
  runs[1]?.leave(done);
  await stop;
  await until(() => runs.length === 3, 'the one that waits');
  expect(time.now() - began).toBe(250);
});

test('when a queue is half open and the process that has its entry stops then another takes the next one at once', async () => {
  const { start, until, time } = simulation();
  const { producer } = start();
  const { handler, runs } = held();
  await producer.gate('store', 'half');
  const stopping = consume(start(), 'store', handler);
  for (const id of ['job_A', 'job_B']) await producer.enqueue(toStore(id));
  await until(() => runs.length === 1, 'the first');
  consume(start(), 'store', handler);
  await time.settled();
  const began = time.now();
  const stop = stopping.stop();
  runs[0]?.leave(done);
  await stop;
  await until(() => runs.length === 2, 'the second');
  expect(time.now()).toBe(began);
});

test('when a frozen process was woken for an entry then another has it after its next look', async () => {
  const { start, until, time } = simulation();
  const { producer } = start();
  const [frozen, other] = [held(), held()];
  const waiting: (() => void)[] = [];
  let freezes = false;
  const gate: Gate = { enter: (happen) => void (freezes ? waiting.push(happen) : happen()) };
  consume(start({ gate }), 'store', frozen.handler);
  consume(start(), 'store', other.handler);
  await time.settled();
  freezes = true;
  const began = time.now();
  await producer.enqueue(toStore('job_A'));
  await until(() => other.runs.length === 1, 'the other');
  expect(time.now() - began).toBe(5000);
  freezes = false;
  for (const happen of waiting) happen();
  await time.settled();
  expect(frozen.runs).toEqual([]);
});

test('when the answer to an add is lost then its caller hears that, and the entry is there once and taken at once', async () => {
  const { start, until, time } = simulation();
  const { handler, ids } = held();
  consume(start(), 'store', handler, 5);
  const adding = start({ role: 'producer', handle: losing((answer) => typeof answer === 'number') });
  const began = time.now();
  await expect(adding.producer.enqueue(toStore('job_A'))).rejects.toThrow('Connection is closed.');
  await until(() => ids().length > 0, 'the entry');
  expect(time.now()).toBe(began);
  adding.client.connect();
  await adding.producer.enqueue(toStore('job_A'));
  await adding.producer.enqueue(toStore('job_B'));
  await until(() => ids().length > 1, 'the next one');
  expect(ids()).toEqual(['job_A', 'job_B']);
});

test('when the answer to a take is lost then that entry comes back when its lock is over, and the repeat takes the next one', async () => {
  const { start, until, time } = simulation();
  const { producer } = start();
  for (const id of ['job_A', 'job_B']) await producer.enqueue(toStore(id));
  const { handler, runs } = held();
  const process = start({ handle: losing(tookOne) });
  consume(process, 'store', handler, 2);
  await time.settled();
  expect([process.client.status, runs]).toEqual(['reconnecting', []]);
  const began = time.now();
  process.client.connect();
  await until(() => runs.length === 2, 'both');
  expect(runs.map(({ id, stalled }) => [id, stalled])).toEqual([
    ['job_B', false],
    ['job_A', true],
  ]);
  expect(time.now() - began).toBeGreaterThanOrEqual(LOCK_MS);
});

test('when the answer to the end of an entry is lost then it is over, the repeat is told so, and what its slot took comes back', async () => {
  const { start, until, time } = simulation();
  const { producer } = start();
  const { handler, runs } = held();
  const process = start();
  const { errors } = consume(process, 'store', handler);
  for (const id of ['job_A', 'job_B']) await producer.enqueue(toStore(id));
  await until(() => runs.length === 1, 'the first');
  process.handle = losing(tookOne);
  runs[0]?.leave(done);
  await time.settled();
  process.client.connect();
  await until(() => runs.length === 2, 'the second');
  expect(runs[1]).toMatchObject({ id: 'job_B', stalled: true });
  expect(errors).toEqual(Array(2).fill('what was said of job_A.1 does not count: it is gone'));
  expect(await producer.stateOf('store', { id: 'job_A', step: 1 })).toBe('gone');
});

test('when Redis is full then nothing is added and nothing begins, what runs may end, and all begins when there is room', async () => {
  const { start, until, pass, redis } = simulation();
  const { producer } = start();
  const { handler, runs, ids } = held();
  const process = start();
  const { errors } = consume(process, 'store', handler);
  await producer.enqueue(toStore('job_A'));
  await until(() => runs.length === 1, 'the first');
  redis.condition.full = true;
  await expect(producer.enqueue(toStore('job_B'))).rejects.toThrow(/^OOM/);
  await expect(producer.gate('store', 'paused')).rejects.toThrow(/^OOM/);
  await producer.gate('store', 'open');
  runs[0]?.leave(done);
  await pass(0);
  expect(await producer.stateOf('store', { id: 'job_A', step: 1 })).toBe('gone');
  redis.condition.full = false;
  await producer.enqueue(toStore('job_C'));
  redis.condition.full = true;
  await pass(2000);
  expect(ids()).toEqual(['job_A']);
  expect(errors.every((message) => message.startsWith('OOM'))).toBe(true);
  redis.condition.full = false;
  await until(() => runs.length === 2, 'what was added');
});

test('when Redis is full and a handler throttles then its entry waits by itself, and comes again', async () => {
  const { start, until, pass, redis } = simulation();
  const { producer } = start();
  const { handler, runs } = held();
  consume(start(), 'call', handler);
  await producer.enqueue(toCall('job_A', 1));
  await until(() => runs.length === 1, 'the call');
  redis.condition.full = true;
  runs[0]?.leave({ kind: 'throttle', ms: 1000 });
  await pass(0);
  expect((await producer.counts()).call).toMatchObject({ delayed: 1 });
  redis.condition.full = false;
  await pass(1000);
  expect(runs.length).toBe(2);
});

test('when a failover forgets that an entry was taken then another process has it too, and only one of them ends it', async () => {
  const { start, until, redis, time } = simulation();
  const { producer } = start();
  const [first, second] = [held(), held()];
  const lagging = start();
  const { errors } = consume(lagging, 'store', first.handler);
  lagging.client.cut();
  const before = redis.snapshot();
  await producer.enqueue(toStore('job_A'));
  const added = redis.snapshot();
  lagging.client.connect();
  await until(() => first.runs.length === 1, 'the first');
  redis.rollback(added);
  consume(start(), 'store', second.handler);
  await until(() => second.runs.length === 1, 'the second');
  expect(second.runs[0]?.stalled).toBe(false);
  first.runs[0]?.leave(done);
  await time.settled();
  expect(errors).toEqual(Array(2).fill('what was said of job_A.1 does not count: another process has it'));
  second.runs[0]?.leave(done);
  await until(async () => (await producer.stateOf('store', { id: 'job_A', step: 1 })) === 'gone', 'the end');
  redis.rollback(before);
  expect(await producer.stateOf('store', { id: 'job_A', step: 1 })).toBe('gone');
});

test('when the clocks of processes differ then a delayed entry comes by the clock of its taker, which asks no more than it needs', async () => {
  const { start, until, time } = simulation();
  const { producer } = start({ skew: 1000 });
  const { handler, runs } = held();
  const process = start({ skew: -500 });
  consume(process, 'store', handler);
  await until(() => process.sent > 0, 'the start');
  const [began, sent] = [time.now(), process.sent];
  await producer.enqueue({ ...toStore('job_A'), delayMs: 100 });
  await until(() => runs.length === 1, 'the entry');
  expect(time.now() - began).toBe(1600);
  expect(process.sent - sent).toBeLessThan(10);
});

test('when a call is to wait for a day then its queue stands still for five minutes, and for no longer when one starts', async () => {
  const { start, until, pass, time } = simulation();
  const { producer, client } = start();
  const { handler, runs } = held();
  consume(start(), 'call', handler);
  await producer.enqueue(toCall('job_A', 1));
  await until(() => runs.length === 1, 'the call');
  runs[0]?.leave({ kind: 'throttle', ms: 86_400_000 });
  await time.settled();
  expect(await client.pttl('{gj-q}:call:limiter')).toBe(300_000);
  await client.set('{gj-q}:call:limiter', '1', 'PX', 86_400_000);
  consume(start(), 'call', handler);
  await time.settled();
  expect(await client.pttl('{gj-q}:call:limiter')).toBe(300_000);
  await pass(299_999);
  expect(runs.length).toBe(1);
  await pass(1);
  expect(runs.length).toBe(2);
});

test('when a process is dead then it sends nothing more, and says nothing of it', async () => {
  const { start, until, pass } = simulation();
  const { producer } = start();
  const { handler, runs } = held();
  const process = start();
  const { errors } = consume(process, 'store', handler, 2);
  await producer.enqueue(toStore('job_A'));
  await until(() => runs.length === 1, 'the entry');
  process.client.disconnect();
  const { sent } = process;
  runs[0]?.leave(done);
  await pass(60_000);
  expect([process.sent, errors]).toEqual([sent, []]);
});

test('when a maintainer finds a task that its version does not have then that fails and is told, and others run', async () => {
  const { start, until, pass } = simulation();
  const process = start();
  const failed: string[] = [];
  let runs = 0;
  await process.producer.schedule(['old-name', 'toString', 'repairs'].map((name) => ({ name, everyMs: 60_000 })));
  const repairs = async () => {
    runs += 1;
  };
  const maintainer = process.createMaintainer(
    { repairs },
    {
      ...{ concurrency: 1, lockMs: LOCK_MS, stalledMs: STALLED_MS },
      onError: ({ message }) => failed.push(message),
      onTaskFailed: (task, { message }) => failed.push(`${task}: ${message}`),
    },
  );
  maintainer.start();
  await until(() => failed.length === 2 && runs === 1, 'each task once');
  expect(failed.sort()).toEqual([
    'old-name: this version has no task named old-name',
    'toString: this version has no task named toString',
  ]);
  await process.producer.schedule([{ name: 'repairs', everyMs: 1000 }]);
  await pass(10_000);
  expect([runs, failed.length]).toEqual([12, 2]);
});
