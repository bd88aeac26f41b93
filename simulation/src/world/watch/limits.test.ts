import { expect, test } from 'vitest';
import { SimulatedRedis } from '../../redis/server.ts';
import { LimitsWatch } from './limits.ts';
import { Peek } from './peek.ts';

test('when more jobs of a tenant are queued than its limit says then it is seen, once no process can have an older limit', () => {
  let now = 0;
  const redis = new SimulatedRedis({ clock: { now: () => now } });
  const watch = new LimitsWatch(new Peek(redis.store, 'gj'), () => now);
  const said: string[] = [];
  const accept = (queued: number) => watch.accepted('acme', queued, (what) => said.push(what));
  accept(99);
  redis.execute('HSET', ['{gj}:tenant:acme', 'limits', '{"max_queued":2}']);
  watch.changed('acme');
  accept(99);
  now = 91_000;
  accept(2);
  for (let again = 0; again < 20; again += 1) accept(3);
  expect(said).toEqual([]);
  accept(3);
  expect(said).toEqual(['is one of 3 queued of acme, and 2 are allowed']);
});
