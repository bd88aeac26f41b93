import { createLogger } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { behindClock, holdOnWrongClock, taskBehindClock } from './clock-guard.ts';

function setUp(trouble?: string) {
  const clock = { wrong: trouble, trouble: () => clock.wrong, aheadMs: () => 7000 };
  const lines: string[] = [];
  const log = createLogger({
    name: 'test',
    level: 'info',
    pretty: false,
    destination: { write: (text: string) => void lines.push(String((JSON.parse(text) as { event: string }).event)) },
  });
  return { clock, lines, log };
}

test('when the clock is wrong then an entry goes back and a task is passed over; when it agrees again both run', async () => {
  const { clock } = setUp('an hour ahead');
  let ran = 0;
  const count = async () => {
    ran += 1;
  };
  const handler = behindClock(clock, async () => {
    await count();
    return { kind: 'done' };
  });
  const work = { entry: { id: 'job_A', step: 1 }, stalled: false };
  expect((await handler(work)).kind).toBe('wait');
  await taskBehindClock(clock, count)();
  expect(ran).toBe(0);
  clock.wrong = undefined;
  expect((await handler(work)).kind).toBe('done');
  await taskBehindClock(clock, count)();
  expect(ran).toBe(2);
});

test('when the clock is set wrong and right again then consumers are held meanwhile, and each change is said once', async () => {
  const { clock, lines, log } = setUp();
  const ticks: (() => void)[] = [];
  const holds: boolean[] = [];
  let agreed = 0;
  const watch = holdOnWrongClock({
    clock,
    log,
    consumers: [{ hold: async (held) => void holds.push(held) }],
    timers: {
      every: (_ms, run) => {
        ticks.push(run);
        return () => void ticks.splice(0);
      },
    },
    onAgrees: () => {
      agreed += 1;
    },
    onError: () => undefined,
  });
  const tick = () => ticks[0]?.();
  expect([holds, agreed]).toEqual([[false], 1]);
  clock.wrong = 'an hour ahead';
  tick();
  tick();
  clock.wrong = undefined;
  tick();
  tick();
  expect(holds).toEqual([false, true, false]);
  expect(agreed).toBe(2);
  expect(lines).toEqual(['clock.differs', 'clock.agrees']);
  await watch.stop();
  expect(ticks).toEqual([]);
});
