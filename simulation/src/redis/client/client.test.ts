import { createJobStore } from '@grsai-jobs/job-store';
import { expect, test } from 'vitest';
import { SimulatedRedis } from '../server.ts';
import { type ClientOptions, SimulatedClient } from './client.ts';
import type { RoundTrip, Wire } from './wire.ts';

/** A wire on which everything stays until the test says what becomes of it. */
function start(o: ClientOptions = {}) {
  const clock = { now: () => 1_800_000_000_000 };
  const redis = new SimulatedRedis({ clock });
  const trips: RoundTrip[] = [];
  const wire: Wire = { roundTrip: (trip) => trips.push(trip), push: (push) => push.arrive() };
  const client = new SimulatedClient(redis, { wire, ...o });
  return { redis, trips, client, clock, direct: client.duplicate({ wire: undefined as never, role: 'producer' }) };
}

const last = (trips: readonly RoundTrip[]): RoundTrip => trips.at(-1) as RoundTrip;

test('when an answer is lost then a producer hears that the connection closed, and its command may have run', async () => {
  const { client, trips, redis } = start();
  const answer = client.incr('n');
  last(trips).execute();
  client.cut();
  await expect(answer).rejects.toThrow('Connection is closed.');
  expect(redis.execute('GET', ['n'])).toBe('1');
  await expect(client.incr('n')).rejects.toThrow("Stream isn't writeable and enableOfflineQueue options is false");
  client.connect();
  const again = client.incr('n');
  last(trips).execute();
  last(trips).answer();
  expect(await again).toBe(2);
});

test('when an answer is lost then a consumer sends its command again, behind the same promise', async () => {
  const { client, trips } = start({ role: 'consumer' });
  const answer = client.incr('n');
  last(trips).execute();
  last(trips).cut();
  const meanwhile = client.get('n');
  expect(trips).toHaveLength(1);
  client.connect();
  expect(trips.map(({ attempt }) => attempt)).toEqual([1, 2, 1]);
  for (const trip of trips) {
    trip.execute();
    trip.answer();
  }
  // The first packet arrived once more, late.
  expect([await answer, await meanwhile]).toEqual([3, '3']);
});

test('when commands of a pipeline are executed one by one then others come between them, but not within a transaction', async () => {
  const { client, trips, redis } = start();
  const pipeline = client.pipeline().incr('n').hgetall('h').incr('n').exec();
  last(trips).execute(1);
  redis.execute('SET', ['n', '10']);
  redis.execute('HSET', ['h', '__proto__', 'x']);
  last(trips).answer();
  last(trips).execute();
  const fields = JSON.parse('{"__proto__":"x"}');
  expect(await pipeline).toEqual([
    [null, 1],
    [null, fields],
    [null, 11],
  ]);
  const transaction = client.multi().incr('n').hget('n', 'f').exec();
  last(trips).execute(1);
  last(trips).answer();
  expect(await transaction).toEqual([
    [null, 12],
    [expect.objectContaining({ message: expect.stringMatching(/^WRONGTYPE/) }), undefined],
  ]);
});

test('when Redis is full then a transaction that would grow is refused as a whole', async () => {
  const { redis, direct } = start();
  redis.condition.full = true;
  const refused = direct.multi().del('a').set('a', 1).exec();
  await expect(refused).rejects.toThrow('EXECABORT Transaction discarded because of previous errors.');
  await expect(refused).rejects.toMatchObject({ previousErrors: [{ message: expect.stringMatching(/^OOM/) }] });
});

test('when a message is published then subscribers hear it, not while they are away, and again when they are back', async () => {
  const { direct } = start();
  const [subscriber, heard] = [direct.duplicate(), [] as string[]];
  subscriber.on('message', (channel: string, message: string) => heard.push(`${channel} ${message}`));
  await subscriber.subscribe('grüße');
  expect(await direct.publish('grüße', 'é')).toBe(1);
  subscriber.cut();
  expect(await direct.publish('grüße', 'lost')).toBe(0);
  subscriber.connect();
  await direct.eval("return redis.call('PUBLISH', ARGV[1], 'by script')", 0, 'grüße');
  expect(heard).toEqual(['grüße é', 'grüße by script']);
});

test('when a reader blocks then it is answered by the next entry, or when its time is over', async () => {
  const timers: (() => void)[] = [];
  const after = (_: number, happen: () => void) => {
    timers.push(happen);
    return () => undefined;
  };
  const { client, trips, direct } = start({ after });
  const read = (from: string) => client.xread('COUNT', 10, 'BLOCK', 5000, 'STREAMS', 's', from);
  const first = read('0-0');
  last(trips).execute();
  last(trips).answer();
  await direct.set('other', 1);
  await direct.eval("return redis.call('XADD', 's', '1-1', 'f', 'ü')", 0);
  expect(await first).toEqual([['s', [['1-1', ['f', 'ü']]]]]);
  const second = read('1-1');
  last(trips).execute();
  last(trips).answer();
  timers.at(-1)?.();
  expect(await second).toBeNull();
});

test('when a store is made with a client then it works, its rate limit too', async () => {
  const { direct, clock } = start();
  const store = createJobStore({ redis: direct, prefix: 'gj', clock });
  await store.schema.open();
  const counts = [await store.rateLimit('key', 2), await store.rateLimit('key', 2), await store.rateLimit('key', 2)];
  expect(counts.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
    [true, 1],
    [true, 0],
    [false, 0],
  ]);
  expect(await store.health.facts()).toEqual({ version: '7.0.15', policy: 'noeviction', appendfsync: 'always' });
});
