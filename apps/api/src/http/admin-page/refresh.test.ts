import { expect, onTestFinished, test, vi } from 'vitest';
import { ApiError } from './api.js';
import { startRefresh } from './refresh.js';

/** A tab with a clock that the test turns. `answer` says what each load does. */
function tab(answer: () => Promise<void>, everyMs: number | null = 3000) {
  const document = Object.assign(new EventTarget(), { hidden: false });
  vi.stubGlobal('document', document);
  vi.useFakeTimers();
  const seen = { loads: 0, fresh: 0, troubles: [] as unknown[] };
  const refresh = startRefresh({
    load: async () => {
      seen.loads += 1;
      await answer();
    },
    everyMs: () => everyMs,
    onFresh: () => {
      seen.fresh += 1;
    },
    onTrouble: (error) => seen.troubles.push(error),
  });
  onTestFinished(() => {
    refresh.stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
  const show = (visible: boolean) => {
    document.hidden = !visible;
    document.dispatchEvent(new Event('visibilitychange'));
  };
  return { seen, refresh, show, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

test('when the tab is hidden then nothing is asked, and it catches up at once when it is looked at', async () => {
  const { seen, show, pass } = tab(async () => {});
  await pass(6500);
  expect(seen).toMatchObject({ loads: 3, fresh: 3 });
  show(false);
  await pass(600_000);
  expect(seen.loads).toBe(3);
  show(true);
  await pass(0);
  expect(seen.loads).toBe(4);
});

test('when a load fails then it is reported and tried again, also where nothing is refreshed by itself', async () => {
  let works = false;
  const trouble = new ApiError(0, 'no answer');
  const { seen, pass } = tab(async () => {
    if (!works) throw trouble;
  }, null);
  await pass(11_000);
  expect(seen).toMatchObject({ loads: 3, fresh: 0, troubles: [trouble, trouble, trouble] });
  works = true;
  await pass(600_000);
  expect(seen).toMatchObject({ loads: 4, fresh: 1 });
});

test('when a thing is not there then it is not asked for again', async () => {
  const { seen, pass } = tab(async () => {
    throw new ApiError(404, 'no such job');
  });
  await pass(600_000);
  expect(seen.loads).toBe(1);
});

test('when it is asked for while a load is open then one more follows, and none after the stop', async () => {
  const open: (() => void)[] = [];
  const { seen, refresh, pass } = tab(() => new Promise((resolve) => open.push(resolve)));
  refresh.now();
  refresh.now();
  await pass(0);
  expect(seen.loads).toBe(1);
  open[0]?.();
  await pass(0);
  expect(seen.loads).toBe(2);
  refresh.stop();
  open[1]?.();
  await pass(600_000);
  expect(seen).toMatchObject({ loads: 2, fresh: 1 });
});
