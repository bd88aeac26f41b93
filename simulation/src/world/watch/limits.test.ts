import { expect, test } from 'vitest';
import { SimulatedRedis } from '../../redis/server.ts';
import { LimitsWatch } from './limits.ts';
import { Peek } from './peek.ts';

function start() {
  let now = 0;
  const redis = new SimulatedRedis({ clock: { now: () => now } });
  const watch = new LimitsWatch(new Peek(redis.store, 'gj'), () => now);
  const said: string[] = [];
  let nth = 0;
  return {
    ...{ watch, said },
    limit(most: number) {
      redis.execute('HSET', ['{gj}:tenant:acme', 'limits', `{"max_queued":${most}}`]);
      watch.changed('acme');
    },
    pass: (ms: number) => (now += ms),
    accept: (queued: number, id = `job-${++nth}`) => watch.accepted(id, 'acme', queued, (what) => said.push(what)),
    commit: (queued: number) => watch.committed('acme', queued, (what) => said.push(what)),
  };
}

test('when more jobs of a tenant are queued than its limit says then it is seen, once no process can have an older limit', () => {
  const { limit, pass, accept, commit, said } = start();
  accept(99);
  limit(2);
  accept(99);
  commit(99);
  pass(91_000);
  accept(2);
  commit(2);
  expect(said).toEqual([]);
  accept(3);
  commit(3);
  expect(said).toEqual([
    'is one of 3 queued of acme, and 2 are allowed',
    'is committed, with which 3 of acme are queued, and 2 are allowed',
  ]);
});

test('when a job is there again that was forgotten then it may pass the limit, which holds for others from some time on', () => {
  const { watch, limit, pass, accept, said } = start();
  limit(2);
  pass(91_000);
  accept(2, 'told');
  watch.restart();
  accept(9);
  pass(91_000);
  accept(3, 'told');
  expect(said).toEqual([]);
  accept(4);
  expect(said).toHaveLength(1);
});
