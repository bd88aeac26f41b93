import {
  createConsumer,
  createProducer,
  ENTRY_STATES,
  type Handler,
  type Outcome,
  type Producer,
  QUEUES,
  type QueueName,
} from '@grsai-jobs/queue';
import { connectRedis, redisTrouble } from '@grsai-jobs/redis';
import { startRedis, waitFor } from '@grsai-jobs/testkit';
import { expect, test } from 'vitest';
import { simulation } from './processes.ts';

const onError = () => undefined;
const OPTIONS = { concurrency: 1, lockMs: 30_000, stalledMs: 30_000, onError, onThrow: async () => undefined };
const done: Outcome = { kind: 'done' };

/** A queue with a Redis that can be filled up. */
interface Side {
  readonly producer: Producer;
  take(name: QueueName, handler: Handler): void;
  full(is: boolean): Promise<void>;
  until(holds: () => boolean | Promise<boolean>, what: string): Promise<void>;
  stop(): Promise<void>;
}

async function bullmq(): Promise<Side> {
  const server = await startRedis();
  const redis = await connectRedis(server.url, 'consumer', { onError });
  const producer = createProducer({ redis, prefix: 'gj', onError });
  const stops: (() => Promise<void>)[] = [];
  return {
    producer,
    take(name, handler) {
      const consumer = createConsumer(name, handler, { ...OPTIONS, redis, prefix: 'gj' });
      stops.push(consumer.stop);
      consumer.start();
    },
    full: async (is) => void (await redis.config('SET', 'maxmemory', is ? 1 : 0)),
    until: async (holds, what) => void (await waitFor(holds, { what })),
    async stop() {
      await Promise.all(stops.map((each) => each()));
      await producer.close();
      redis.disconnect();
      await server.stop();
    },
  };
}

function simulated(): Side {
  const { redis, start, until } = simulation();
  const { producer, createConsumer: create } = start();
  const stops: (() => Promise<void>)[] = [];
  return {
    producer,
    take(name, handler) {
      const consumer = create(name, handler, OPTIONS);
      stops.push(consumer.stop);
      consumer.start();
    },
    full: async (is) => {
      redis.condition.full = is;
    },
    until,
    stop: async () => void (await Promise.all(stops.map((each) => each()))),
  };
}

const message = { queue: 'store', step: 1, batch_id: null, turn: 0, priority: 'normal', delayMs: 0 } as const;
const call = (id: string, turn: number, more: object = {}) => ({ ...message, queue: 'call', id, turn, ...more }) as const;

/** All that operators see, without the times. */
async function seen(producer: Producer): Promise<unknown> {
  const lists = QUEUES.flatMap((name) =>
    ENTRY_STATES.flatMap((state) => [[name, state, 0, 20] as const, [name, state, 1, 2] as const]),
  );
  const pages = await Promise.all(
    lists.map(async ([name, state, from, limit]) => {
      const { entries, next } = await producer.list(name, { state, from, limit });
      const shown = entries.map(({ added_at, due_at, id, ...entry }) => ({
        ...entry,
        id: id.replace(/\d{6,}/, 'time'),
        // Redis names the script, if it was one.
        failure: entry.failure?.replace(/ script: .*/, ''),
        times: [typeof added_at, typeof due_at],
      }));
      return [name, state, from, next, shown];
    }),
  );
  const depths = Object.entries(await producer.depths()).map(([name, { oldest_at, next_due_at, ...depth }]) => {
    return [name, depth, typeof oldest_at, typeof next_due_at];
  });
  return { pages, depths, counts: await producer.counts() };
}

const tried = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'done',
    (error: unknown) => redisTrouble(error) ?? String(error),
  );

/** The same for both: what is seen at each step. */
async function scenario({ producer, take, full, until }: Side): Promise<unknown[]> {
  const steps: unknown[] = [];
  const note = async (what: string, more: unknown = null) => void steps.push([what, more, await seen(producer)]);
  const state = (name: QueueName, id: string) => producer.stateOf(name, { id, step: 1 });

  await producer.gate('call', 'paused');
  await producer.enqueue(call('low_1', 1, { priority: 'low' }));
  await producer.enqueue(call('normal_9', 9));
  await producer.enqueue(call('normal_2', 2));
  await producer.enqueue(call('late', 5, { delayMs: 60_000 }));
  await producer.enqueue(call('later', 3, { delayMs: 90_000 }));
  await producer.enqueueLetIn([
    { id: 'line_1', step: 1, delayMs: 0, batch_id: 'batch_A', queue: 'call', turn: 4, priority: 'high' },
    { id: 'line_2', step: 1, delayMs: 0, batch_id: 'batch_A', queue: 'submit', turn: 1, priority: 'normal' },
  ]);
  for (const id of ['a', 'b', 'c', 'd']) await producer.enqueue({ ...message, id });
  await producer.enqueue({ ...message, id: 'unreadable', step: 'x' as never });
  await producer.enqueueDelivery({ id: 'evt_A', step: 1, endpoint: 'acme/host' }, 30_000);
  await producer.enqueueDelivery({ id: 'evt_B', step: 2 }, 10_000);
  await note('added');
  await producer.wake('call', { id: 'late', step: 1 });
  await producer.wake('call', { id: 'normal_9', step: 1 });
  await producer.schedule([
    { name: 'repairs', everyMs: 60_000 },
    { name: 'old', everyMs: 1000 },
  ]);
  await producer.schedule([{ name: 'repairs', everyMs: 60_000 }]);
  await note('woken and scheduled');

  const leaves: ((outcome: Outcome) => void)[] = [];
  const handler: Handler = () => new Promise((leave) => leaves.push(leave));
  const next = async (count: number) => await until(() => leaves.length === count, `${count} runs`);
  take('store', handler);
  await next(1);
  await note('one is active');
  for (const n of [0, 1, 2, 3]) {
    leaves[n]?.(n === 1 ? { kind: 'wait', ms: 60_000 } : done);
    if (n < 3) await next(n + 2);
  }
  await until(
    async () => (await producer.counts()).store['wait'] === 0 && (await producer.counts()).store['active'] === 0,
    'the end',
  );
  await note('the unreadable one has failed', [await state('store', 'b'), await state('store', 'a')]);

  take('submit', handler);
  await next(5);
  await full(true);
  const refusals = {
    add: await tried(producer.enqueue(call('new', 1))),
    known: await tried(producer.enqueue(call('low_1', 1))),
    many: await tried(
      producer.enqueueLetIn([
        { id: 'line_3', step: 1, delayMs: 0, batch_id: 'batch_A', queue: 'call', turn: 1, priority: 'low' },
      ]),
    ),
    wake: await tried(producer.wake('call', { id: 'later', step: 1 })),
    pausedAlready: await tried(producer.gate('call', 'paused')),
    pause: await tried(producer.gate('deliver', 'paused')),
    half: await tried(producer.gate('deliver', 'half')),
    open: await tried(producer.gate('call', 'open')),
    nudge: await tried(producer.nudgeOperations()),
  };
  leaves[4]?.({ kind: 'throttle', ms: 1000 });
  await until(async () => (await producer.counts()).submit['active'] === 0, 'the throttled one to be left');
  await note('full', refusals);
  await full(false);
  await producer.enqueueLetIn([
    { id: 'line_2', step: 1, delayMs: 0, batch_id: 'batch_A', queue: 'submit', turn: 1, priority: 'normal' },
  ]);
  await note('there is room again', await state('submit', 'line_2'));
  return steps;
}

test('when the same is done to it and to BullMQ then operators see the same, and a full Redis refuses the same', async () => {
  const [real, stand] = [await bullmq(), simulated()];
  try {
    expect(await scenario(stand)).toEqual(await scenario(real));
  } finally {
    await Promise.all([real.stop(), stand.stop()]);
  }
});
