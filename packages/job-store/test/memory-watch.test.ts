import { expect, onTestFinished, test } from 'vitest';
import { watchMemory } from '../src/index.ts';
import { startStore, timers } from './harness.ts';

const MIB = 1024 * 1024;

test.each([
  ['70 %', 0.7, { tight: false, critical: false }],
  ['85 %', 0.85, { tight: true, critical: false }],
  ['95 %', 0.95, { tight: true, critical: true }],
])('when Redis uses %s of its memory then what is refused is as much as that calls for', async (_what, part, wanted) => {
  const { store, redis } = await startStore();
  // Large beside what Redis needs for its connections.
  await redis.set('filler', Buffer.alloc(20 * MIB));
  const used = Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
  await redis.config('SET', 'maxmemory', Math.round(used / part));
  const errors: Error[] = [];
  const watch = watchMemory(store, (error) => errors.push(error), timers);
  onTestFinished(() => watch.stop());
  await expect.poll(() => watch.max()).toBe(Math.round(used / part));
  expect([{ tight: watch.tight(), critical: watch.critical() }, errors]).toEqual([wanted, []]);
  const room = watch.room() ?? 0;
  expect(room > 0).toBe(!wanted.tight);
});
