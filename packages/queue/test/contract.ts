import { describe, expect, test } from 'vitest';
import { type Consumer, done, type Handler, OPERATIONS_TASK, type Outcome, type Producer, type QueueName } from '../src/index.ts';
import { toCall, toStore } from './messages.ts';

/** One process that takes entries of one queue. */
interface Taker extends Consumer {
  /** What its handlers threw. */
  readonly thrown: readonly unknown[];
  /** Nothing that it sends arrives any more, as when it is dead, frozen or cut off from the store. Its handlers go on. */
  cutOff(): Promise<void>;
  /** Returns when it has the store again. */
  reconnect(): Promise<void>;
}

/** A queue that is empty, and processes around it. */
export interface QueueWorld {
  readonly producer: Producer;
  /** An entry whose process has been away for so long is another's. */
  readonly lockMs: number;
  /** Starts a process. */
  take(name: QueueName, handler: Handler, concurrency: number): Promise<Taker>;
  /** Starts a process that runs scheduled tasks. */
  maintain(tasks: Readonly<Record<string, () => Promise<void>>>): Promise<void>;
  now(): number;
  /** Lets time pass until `holds`. Rejects after some seconds, and says what was waited for. */
  until(holds: () => boolean | Promise<boolean>, what: string): Promise<void>;
  /** The store stops and starts again, and has forgotten nothing that it had confirmed. */
  restartStore(): Promise<void>;
  /** Ends all processes; runs that are still open have been answered. */
  close(): Promise<void>;
}

/** One time that an entry came to a handler. */
interface Run {
  readonly id: string;
  readonly stalled: boolean;
  readonly at: number;
  leave(outcome: Outcome): void;
}

/** A world, and a record of all runs in it. */
async function observe(world: QueueWorld) {
  const { producer } = world;
  const runs: Run[] = [];
  let over = false;
  return {
    ...world,
    runs,
    ids: () => runs.map(({ id }) => id),
    /** Starts a process whose runs wait for the test to answer them, or for nobody: `answer` then has the number of the run. */
    start: (name: QueueName, o: { concurrency?: number; answer?: (nth: number) => Outcome } = {}) =>
      world.take(
        name,
        ({ entry, stalled }) =>
          new Promise((leave) => {
            runs.push({ id: entry.id, stalled, at: world.now(), leave });
            if (over) leave(done);
            else if (o.answer !== undefined) leave(o.answer(runs.length));
          }),
        o.concurrency ?? 1,
      ),
    ran: (count: number) => world.until(() => runs.length >= count, `${count} runs`),
    gone: (name: QueueName, id: string) =>
      world.until(async () => (await producer.stateOf(name, entry(id))) === 'gone', `${id} to be gone from ${name}`),
    /** When it returns, a process that was free for all of the time has taken what it may take: one of `poll` took something newer. */
    fence: async (delayMs = 0) => {
      let passed = false;
      await producer.enqueue({ ...toStore('job_fence'), queue: 'poll', delayMs });
      await world.take(
        'poll',
        async () => {
          passed = true;
          return done;
        },
        1,
      );
      await world.until(() => passed, 'the fence');
    },
    close: async () => {
      over = true;
      for (const run of runs) run.leave(done);
      await world.close();
    },
  };
}

/** A queued job, which waits in `call`. */
const chat = toCall;

/** For the queues without turns. */
const entry = (id: string) => ({ id, step: 1 });

/**
 * What the service relies on its queue for, each with the reason. Every implementation of the port passes it: BullMQ in each version that is
 * taken up, and whatever stands in for it. `makeQueue` is called once for each test; the tests run side by side.
 */
export function queueContract(makeQueue: () => Promise<QueueWorld>): void {
  const it = test.extend<{ queue: Awaited<ReturnType<typeof observe>> }>({
    // biome-ignore lint/correctness/noEmptyPattern: what a fixture needs is read from its pattern.
    queue: async ({}, use) => {
      const queue = await observe(await makeQueue());
      try {
        await use(queue);
      } finally {
        await queue.close();
      }
    },
  });

  // Repairs, retries and whoever lost an answer add an entry again without asking first.
  describe.concurrent('ids', () => {
    it('when an id waits, is delayed or runs then adding it again is swallowed in silence', async ({ queue }) => {
      const { producer, runs, ran, ids, now } = queue;
      const added = now();
      await producer.enqueueDelivery(entry('evt_late'), 150);
      await producer.enqueueDelivery(entry('evt_late'));
      await producer.enqueueDelivery(entry('evt_now'));
      await producer.enqueueDelivery(entry('evt_now'), 60_000);
      await queue.start('deliver');
      await ran(1);
      await producer.enqueueDelivery(entry('evt_now'));
      runs[0]?.leave(done);
      await ran(2);
      expect(runs[1]?.at).toBeGreaterThanOrEqual(added + 150);
      runs[1]?.leave(done);
      await producer.enqueueDelivery(entry('evt_last'));
      await ran(3);
      expect(ids()).toEqual(['evt_now', 'evt_late', 'evt_last']);
    });

    it('when many are added at once and some ids are known then the others are added', async ({ queue }) => {
      const { producer, ran, ids } = queue;
      const line = (n: number) =>
        ({ id: `job_${n}`, step: 1, delayMs: 0, batch_id: 'batch_A', queue: 'call', turn: n, priority: 'normal' }) as const;
      await producer.enqueueLetIn([line(1), line(2)]);
      await producer.enqueueLetIn([line(1), line(2), line(3), { ...line(4), queue: 'submit' }]);
      await queue.start('call', { answer: () => done });
      await ran(3);
      await queue.start('submit', { answer: () => done });
      await ran(4);
      await producer.enqueue(chat('job_last', 9));
      await ran(5);
      expect(ids()).toEqual(['job_1', 'job_2', 'job_3', 'job_4', 'job_last']);
    });

    it('when an entry is done then nothing of it is left, and the same id is new', async ({ queue }) => {
      const { producer, runs, ran, gone, until } = queue;
      await queue.start('store');
      expect(await producer.stateOf('store', entry('job_A'))).toBe('gone');
      for (const nth of [0, 1]) {
        await producer.enqueue(toStore('job_A'));
        await ran(nth + 1);
        expect(await producer.stateOf('store', entry('job_A'))).toBe('there');
        runs[nth]?.leave(done);
        await gone('store', 'job_A');
      }
      const left = async () => Object.values((await producer.counts()).store).reduce((sum, n) => sum + n, 0);
      await until(async () => (await left()) === 0, 'an empty queue');
    });

    it('when a handler throws then that is told, and the entry is done: what an attempt costs stands in the record', async ({
      queue,
    }) => {
      const { producer, gone } = queue;
      let runs = 0;
      const taker = await queue.take(
        'store',
        async () => {
          runs += 1;
          throw new Error('boom');
        },
        1,
      );
      await producer.enqueue(toStore('job_A'));
      await queue.until(() => taker.thrown.length > 0, 'the throw');
      await gone('store', 'job_A');
      expect([runs, taker.thrown]).toEqual([1, [new Error('boom')]]);
    });
  });

  // A killed worker loses no job (P1), and its open submit is never made again unseen (P2): `stalled` is what tells.
  describe.concurrent('stalls', () => {
    it('when processes die one after another then the next one has the entry and is told, then and each time that it comes', async ({
      queue,
    }) => {
      const { producer, runs, ran, gone } = queue;
      await producer.enqueue(toStore('job_A'));
      for (const deaths of [0, 1, 2]) {
        const taker = await queue.start('store');
        await ran(deaths + 1);
        if (deaths < 2) await taker.cutOff();
      }
      runs[2]?.leave({ kind: 'wait', ms: 1 });
      await ran(4);
      runs[3]?.leave(done);
      await gone('store', 'job_A');
      expect(runs.map(({ stalled }) => stalled)).toEqual([false, true, true, true]);
    });

    it('when a process dies then its entries wait for no other: a free one has all of them', async ({ queue }) => {
      const { producer, ids, ran } = queue;
      const dying = await queue.start('call', { concurrency: 3 });
      for (const n of [1, 2, 3]) await producer.enqueue(chat(`job_${n}`, n));
      await ran(3);
      await dying.cutOff();
      await queue.start('call', { concurrency: 3 });
      await ran(6);
      expect(ids().slice(3).sort()).toEqual(['job_1', 'job_2', 'job_3']);
    });
  });

  // A call of many minutes is made once; a process that was away must not take the entry from the one that has it now.
  describe.concurrent('locks', () => {
    it('when a handler takes longer than the lock then the entry stays its own', async ({ queue }) => {
      const { producer, runs, ran, gone, now, until, lockMs } = queue;
      await producer.enqueue(toStore('job_A'));
      await Promise.all([queue.start('store'), queue.start('store')]);
      await ran(1);
      const since = now();
      await until(() => now() > since + 2 * lockMs, 'two locks to pass');
      runs[0]?.leave(done);
      await gone('store', 'job_A');
      expect(runs.map(({ stalled }) => stalled)).toEqual([false]);
    });

    it('when a frozen process comes back after its entries went to another then what it says of them does not count', async ({
      queue,
    }) => {
      const { producer, runs, ran, gone } = queue;
      await producer.enqueue(toStore('job_A'));
      await producer.enqueue(toStore('job_B'));
      const frozen = await queue.start('store', { concurrency: 2 });
      await ran(2);
      await frozen.cutOff();
      await queue.start('store', { concurrency: 2 });
      await ran(4);
      await frozen.reconnect();
      const run = (id: string, nth: number) => runs.filter((each) => each.id === id)[nth];
      run('job_A', 0)?.leave(done);
      run('job_B', 0)?.leave({ kind: 'wait', ms: 1 });
      await frozen.stop();
      for (const id of ['job_A', 'job_B']) expect(await producer.stateOf('store', entry(id))).toBe('there');
      run('job_A', 1)?.leave(done);
      await gone('store', 'job_A');
      expect(runs.length).toBe(4);
      run('job_B', 1)?.leave({ kind: 'wait', ms: 1 });
      await ran(5);
      runs[4]?.leave(done);
      await gone('store', 'job_B');
    });
  });

  // Polls, back-off and webhook attempts wait in the queue and not in a slot, for as often as they need to.
  describe.concurrent('delays', () => {
    it('when entries have delays then each comes when it is due, the first due first, and takes no slot meanwhile', async ({
      queue,
    }) => {
      const { producer, runs, ran, ids, now } = queue;
      const added = now();
      const delays = [0, 200, 100, 150];
      await Promise.all(delays.map((ms) => producer.enqueueDelivery(entry(`evt_${ms}`), ms)));
      await queue.start('deliver', { answer: () => done });
      await ran(4);
      expect(ids()).toEqual(['evt_0', 'evt_100', 'evt_150', 'evt_200']);
      const early = runs.filter(({ id, at }) => at < added + Number(id.slice('evt_'.length)));
      expect(early).toEqual([]);
    });

    it('when a handler has its entry wait a hundred times then it comes a hundred times more, and no wait is held against it', async ({
      queue,
    }) => {
      const { producer, runs, ran, gone } = queue;
      await producer.enqueue(toStore('job_A'));
      const taker = await queue.start('store', { answer: (nth) => (nth <= 100 ? { kind: 'wait', ms: 1 } : done) });
      await ran(101);
      await gone('store', 'job_A');
      expect(runs.length).toBe(101);
      expect(runs.some(({ stalled }) => stalled)).toBe(false);
      expect(taker.thrown).toEqual([]);
    });

    it('when an entry waits then its slot is free for others, and it keeps its turn among those who wait', async ({ queue }) => {
      const { producer, runs, ran, ids, now, until } = queue;
      await queue.start('call');
      await producer.enqueue(chat('job_first', 1));
      await ran(1);
      await producer.enqueue(chat('job_third', 9));
      await producer.enqueue(chat('job_second', 5));
      runs[0]?.leave({ kind: 'wait', ms: 1000 });
      await ran(2);
      await until(async () => (await producer.counts()).call['delayed'] === 1, 'the first to be delayed');
      const since = now();
      await until(() => now() > since + 1000, 'its wait to be over');
      runs[1]?.leave(done);
      await ran(3);
      runs[2]?.leave(done);
      await ran(4);
      expect(ids()).toEqual(['job_first', 'job_second', 'job_first', 'job_third']);
    });

    it('when a delayed entry is woken then it comes now, in its turn, and waking any other changes nothing', async ({
      queue,
    }) => {
      const { producer, runs, ran, ids } = queue;
      await queue.start('call');
      await producer.enqueue(chat('job_0', 0));
      await ran(1);
      await producer.enqueue(chat('job_3', 3));
      await producer.enqueue({ ...chat('job_2', 2), delayMs: 60_000 });
      await producer.enqueue(chat('job_1', 1));
      for (const id of ['job_0', 'job_1', 'job_2', 'job_3', 'job_none']) await producer.wake('call', entry(id));
      for (const nth of [1, 2, 3]) {
        runs[nth - 1]?.leave(done);
        await ran(nth + 1);
      }
      expect(ids()).toEqual(['job_0', 'job_1', 'job_2', 'job_3']);
    });
  });

  // A fair share for each tenant is a turn; without it one batch would make all others wait for its end.
  describe.concurrent('order', () => {
    it('when calls wait then they come by priority and turn, the older first among equals, whenever they were added', async ({
      queue,
    }) => {
      const { producer, ran, ids } = queue;
      await producer.gate('call', 'paused');
      await producer.enqueue(chat('low_1', 1, 'low'));
      await producer.enqueue(chat('normal_9', 9));
      await producer.enqueue(chat('normal_2a', 2));
      await producer.enqueue(chat('normal_2b', 2));
      await producer.enqueueLetIn([
        { id: 'line_5', step: 1, delayMs: 0, batch_id: 'batch_A', queue: 'call', turn: 5, priority: 'normal' },
      ]);
      await producer.enqueue(chat('high_7', 7, 'high'));
      await queue.start('call', { answer: () => done });
      await producer.gate('call', 'open');
      await ran(6);
      expect(ids()).toEqual(['high_7', 'normal_2a', 'normal_2b', 'line_5', 'normal_9', 'low_1']);
    });

    it('when results wait to be stored then they come in the order in which they were added', async ({ queue }) => {
      const { producer, ran, ids } = queue;
      const added = Array.from({ length: 20 }, (_, n) => `job_${n}`);
      for (const id of added) await producer.enqueue(toStore(id));
      await queue.start('store', { answer: () => done });
      await ran(20);
      expect(ids()).toEqual(added);
    });
  });

  // A trouble that is not the jobs' fault stops paid calls everywhere at once, and one job at a time tries whether it is over.
  describe.concurrent('pause', () => {
    it('when a queue is paused then nothing begins, what runs may end, and all that came meanwhile begins when it is open', async ({
      queue,
    }) => {
      const { producer, runs, ran, gone, ids, fence } = queue;
      await queue.start('store', { concurrency: 5 });
      await producer.enqueue(toStore('job_open'));
      await ran(1);
      await producer.gate('store', 'paused');
      await producer.gate('store', 'paused');
      await producer.enqueue(toStore('job_A'));
      await producer.enqueue(toStore('job_B'));
      runs[0]?.leave({ kind: 'wait', ms: 10 });
      await fence(20);
      expect(ids()).toEqual(['job_open']);
      await producer.gate('store', 'open');
      await ran(4);
      for (const run of runs) run.leave(done);
      for (const id of ['job_open', 'job_A', 'job_B']) await gone('store', id);
    });

    it('when a queue is half open then one entry at a time runs over all processes, and all when it is open', async ({
      queue,
    }) => {
      const { producer, runs, ran, fence, gone } = queue;
      await producer.gate('store', 'half');
      await queue.start('store', { concurrency: 2 });
      await queue.start('store', { concurrency: 2 });
      for (const n of [1, 2, 3, 4, 5]) await producer.enqueue(toStore(`job_${n}`));
      await ran(1);
      await fence();
      expect(runs.length).toBe(1);
      runs[0]?.leave(done);
      await gone('store', 'job_1');
      await ran(2);
      expect(runs.length).toBe(2);
      await producer.gate('store', 'open');
      runs[1]?.leave(done);
      await ran(5);
    });
  });

  // Upstream's 429 and our own rate stop all workers, also those that start meanwhile, and cost no attempt.
  describe.concurrent('rate limits', () => {
    it('when a handler throttles then its queue waits on all processes, and no other queue does', async ({ queue }) => {
      const { producer, runs, ran, ids, now } = queue;
      await Promise.all([queue.start('call'), queue.start('call'), queue.start('submit')]);
      await producer.enqueue(chat('job_A', 1));
      await ran(1);
      const throttled = now();
      runs[0]?.leave({ kind: 'throttle', ms: 1000 });
      await queue.until(async () => (await producer.counts()).call['active'] === 0, 'the entry to be back');
      await producer.enqueue(chat('job_B', 0));
      await producer.enqueueLetIn([
        { id: 'job_image', step: 1, delayMs: 0, batch_id: 'batch_A', queue: 'submit', turn: 1, priority: 'normal' },
      ]);
      await ran(4);
      expect(ids()[1]).toBe('job_image');
      expect(ids().slice(2).sort()).toEqual(['job_A', 'job_B']);
      expect(runs.slice(2).filter(({ at }) => at < throttled + 990)).toEqual([]);
      expect(runs.some(({ stalled }) => stalled)).toBe(false);
    });

    it('when a handler throttles then its entry keeps its turn, before others of the same turn', async ({ queue }) => {
      const { producer, runs, ran, ids } = queue;
      await queue.start('call', { answer: (nth) => (nth <= 2 ? { kind: 'throttle', ms: 250 } : done) });
      await producer.enqueue(chat('job_A', 5));
      await ran(1);
      await producer.enqueue(chat('job_B', 5));
      await producer.enqueue(chat('job_C', 6));
      await ran(5);
      expect(ids()).toEqual(['job_A', 'job_A', 'job_A', 'job_B', 'job_C']);
      expect(runs.some(({ stalled }) => stalled)).toBe(false);
    });

    it('when all processes and the store start again then a limit is still there, and a shorter one did not shorten it', async ({
      queue,
    }) => {
      const { producer, runs, ran, ids, now } = queue;
      for (const n of [1, 2]) await producer.enqueue(chat(`job_${n}`, n));
      const first = await queue.start('call', { concurrency: 2 });
      await ran(2);
      const began = now();
      runs[0]?.leave({ kind: 'throttle', ms: 1500 });
      await queue.until(async () => (await producer.counts()).call['active'] === 1, 'the first to be back');
      runs[1]?.leave({ kind: 'throttle', ms: 250 });
      await first.stop();
      await queue.restartStore();
      await queue.start('call', { answer: () => done });
      await ran(4);
      expect(runs.slice(2).filter(({ at }) => at < began + 1490)).toEqual([]);
      expect(ids().slice(2).sort()).toEqual(['job_1', 'job_2']);
    });
  });

  // Operators change it while calls of many minutes are open, and see at once what that does.
  describe.concurrent('concurrency', () => {
    it('when it is raised while all slots are taken then more run at once, and lowered it lets none in until there is room', async ({
      queue,
    }) => {
      const { producer, runs, ran, until, fence } = queue;
      const taker = await queue.start('store');
      for (let n = 1; n <= 5; n += 1) await producer.enqueue(toStore(`job_${n}`));
      await ran(1);
      await fence();
      expect([taker.open(), taker.concurrency()]).toEqual([1, 1]);
      await taker.setConcurrency(3);
      await until(() => taker.open() === 3, 'three at once');
      await taker.setConcurrency(1);
      expect(taker.concurrency()).toBe(1);
      for (const run of runs.slice(0, 2)) run.leave(done);
      await until(() => taker.open() === 1, 'one to be left');
      await queue.until(async () => (await producer.counts()).store['active'] === 1, 'both to be written');
      expect(runs.length).toBe(3);
      runs[2]?.leave(done);
      await ran(4);
      expect(taker.open()).toBe(1);
    });
  });

  // A process whose clock is wrong takes nothing, and keeps nothing from others.
  describe.concurrent('hold', () => {
    it('when a process is held then it takes nothing and ends what is open, another has the rest, and released it takes again', async ({
      queue,
    }) => {
      const { producer, runs, ran, gone, ids, fence } = queue;
      const taker = await queue.start('store');
      await producer.enqueue(toStore('job_open'));
      await ran(1);
      await taker.hold(true);
      await producer.enqueue(toStore('job_left'));
      runs[0]?.leave(done);
      await gone('store', 'job_open');
      await fence();
      expect(ids()).toEqual(['job_open']);
      const other = await queue.start('store');
      await ran(2);
      expect([taker.open(), other.open()]).toEqual([0, 1]);
      await producer.enqueue(toStore('job_next'));
      await taker.hold(false);
      await ran(3);
      expect([taker.open(), other.open()]).toEqual([1, 1]);
    });
  });

  // A deploy ends each worker: what it has in hand is written first, and all else is the next one's, untouched.
  describe.concurrent('stop', () => {
    it('when a process is stopped then it takes no more, and waits until what its open runs come to is written', async ({
      queue,
    }) => {
      const { producer, runs, ran, gone, ids, fence } = queue;
      const stopping = await queue.start('store', { concurrency: 2 });
      for (const id of ['job_done', 'job_waits', 'job_next']) await producer.enqueue(toStore(id));
      await ran(2);
      let stopped = false;
      const stop = stopping.stop().then(() => {
        stopped = true;
      });
      runs[0]?.leave(done);
      await gone('store', 'job_done');
      await fence();
      expect([stopped, ids()]).toEqual([false, ['job_done', 'job_waits']]);
      runs[1]?.leave({ kind: 'wait', ms: 1 });
      await stop;
      expect((await producer.counts()).store['active']).toBe(0);
      await queue.start('store', { answer: () => done });
      await ran(4);
      expect(ids().slice(2).sort()).toEqual(['job_next', 'job_waits']);
      expect(runs.some(({ stalled }) => stalled)).toBe(false);
    });
  });

  // Repairs and whatever comes again and again: once over all workers, however many there are.
  describe.concurrent('schedules', () => {
    it('when one task is scheduled again and again and late then it runs at its last interval, at one place at a time', async ({
      queue,
    }) => {
      const { producer, now, until } = queue;
      let [runs, open, most] = [0, 0, 0];
      const task = async () => {
        runs += 1;
        open += 1;
        most = Math.max(most, open);
        await Promise.resolve();
        open -= 1;
      };
      for (const everyMs of [60_000, 100, 100]) await producer.schedule([{ name: 'tick', everyMs }]);
      const began = now();
      await until(() => now() > began + 250, 'the schedule to be late');
      await Promise.all([queue.maintain({ tick: task }), queue.maintain({ tick: task })]);
      await until(() => runs >= 5, 'five runs');
      // One is pending, and the next one may be due at once.
      expect(now() - began).toBeGreaterThanOrEqual(500);
      expect(most).toBe(1);
    });

    it('when operations are nudged then their task runs at once', async ({ queue }) => {
      let runs = 0;
      await queue.maintain({
        [OPERATIONS_TASK]: async () => {
          runs += 1;
        },
      });
      await queue.producer.nudgeOperations();
      await queue.until(() => runs === 1, 'the task');
    });
  });

  // Redis is restarted for an upgrade, with its append-only file: nothing that was accepted may be gone, and no pause either.
  describe.concurrent('restart of the store', () => {
    it('when the store starts again then what waits, what is delayed and what is paused are as before', async ({ queue }) => {
      const { producer, ran, ids } = queue;
      await producer.gate('store', 'paused');
      await producer.enqueue(toStore('job_paused'));
      await producer.enqueue(chat('job_1', 1));
      await producer.enqueue({ ...chat('job_0', 0), delayMs: 50 });
      await queue.restartStore();
      await queue.until(() => producer.stateOf('call', entry('job_0')).then((state) => state === 'there'), 'the store');
      await queue.start('store', { answer: () => done });
      await queue.start('call', { answer: () => done });
      await ran(2);
      await queue.fence();
      expect(ids().sort()).toEqual(['job_0', 'job_1']);
      await producer.gate('store', 'open');
      await ran(3);
    });
  });
}
