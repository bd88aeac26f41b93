import { expect, test } from 'vitest';
import { type Gate, OPEN_GATE, processTime } from './process-time.ts';
import { VirtualTime } from './virtual-time.ts';

/** A process that can be frozen and killed. */
function gate(): Gate & { freeze(): void; thaw(): void; kill(): void } {
  let state: 'open' | 'frozen' | 'dead' = 'open';
  const kept: (() => void)[] = [];
  return {
    enter: (happen) => {
      if (state === 'open') happen();
      else if (state === 'frozen') kept.push(happen);
    },
    freeze: () => {
      state = 'frozen';
    },
    thaw: () => {
      state = 'open';
      for (const happen of kept.splice(0)) happen();
    },
    kill: () => {
      state = 'dead';
    },
  };
}

test('when the clock of a process is wrong then it tells another time, and measures the same', async () => {
  const time = new VirtualTime(1000);
  let skew = 300;
  const { clock, timers } = processTime(time, OPEN_GATE, () => skew);
  const began = timers.elapsed();
  expect(clock.now()).toBe(1300);
  let woken = false;
  void timers.sleep(50).then(() => {
    woken = true;
  });
  skew = -300;
  await time.until(() => woken);
  expect([clock.now(), timers.elapsed() - began]).toEqual([750, 50]);
});

test('when a timer repeats then it runs in steps of its interval until it is ended, also by itself', async () => {
  const time = new VirtualTime(0);
  const { timers } = processTime(time);
  const seen: number[] = [];
  const end = timers.every(10, () => {
    seen.push(time.now());
    if (seen.length === 3) end();
  });
  await time.until(() => false, 100);
  expect(seen).toEqual([10, 20, 30]);
});

test('when a sleeper is called off then it rejects with the reason, and no timer is left', async () => {
  const time = new VirtualTime(0);
  const { timers } = processTime(time);
  const called = new AbortController();
  const slept = timers.sleep(50, called.signal).catch((error: Error) => error.message);
  called.abort(new Error('over'));
  expect([await slept, time.next()]).toEqual(['over', null]);
  await expect(timers.sleep(50, called.signal)).rejects.toThrow('over');
  let woken = false;
  const late = new AbortController();
  void timers.sleep(50, late.signal).then(() => {
    woken = true;
  });
  await time.until(() => woken);
  late.abort();
  expect(time.now()).toBe(50);
});

test('when a time limit is over then its signal aborts as that of the system does', async () => {
  const time = new VirtualTime(0);
  const signal = processTime(time).timers.timeout(20);
  await time.until(() => signal.aborted);
  expect([time.now(), (signal.reason as Error).name]).toEqual([20, 'TimeoutError']);
});

test('when a process is frozen then what was due comes when it goes on, and when it is dead never', async () => {
  const time = new VirtualTime(0);
  const process = gate();
  const { timers } = processTime(time, process);
  const seen: string[] = [];
  timers.after(10, () => seen.push('due'));
  timers.after(90, () => seen.push('later'));
  process.freeze();
  await time.until(() => false, 50);
  expect(seen).toEqual([]);
  process.thaw();
  expect(seen).toEqual(['due']);
  process.kill();
  await time.until(() => false, 100);
  expect(seen).toEqual(['due']);
});
