import { expect, test } from 'vitest';
import { createSliceQueue } from './slice-queue.ts';

/** A loop whose turns are taken by hand; each piece of work takes a quarter of a ms. */
function startLoop() {
  let ms = 0;
  let next: (() => void)[] = [];
  const done: string[] = [];
  const queue = createSliceQueue({ now: () => ms, inNextTurn: (run) => void next.push(run) });

  async function work(name: string, pieces: number): Promise<void> {
    const slices = queue.of(name.slice(0, 1));
    for (let n = 0; n < pieces; n += 1) {
      if (slices.over()) await slices.next();
      ms += 0.25;
      done.push(name);
    }
  }

  /** Answers what was done in this turn. */
  async function turn(): Promise<string[]> {
    done.length = 0;
    const runs = next;
    next = [];
    for (const run of runs) run();
    await new Promise(setImmediate);
    return [...done];
  }
  return { work, turn, done, waits: () => next.length };
}

test('when work is short then it is done at once', async () => {
  const { work, done } = startLoop();
  await work('a', 2);
  expect(done).toEqual(['a', 'a']);
});

test('when many want more than a slice then each turn has one slice of them all', async () => {
  const { work, turn } = startLoop();
  const works = Array.from({ length: 20 }, (_, n) => work(`a${n}`, 8));
  const turns: number[] = [];
  for (let n = 0; n < 39; n += 1) turns.push((await turn()).length);
  await Promise.all(works);
  expect(Math.max(...turns)).toBe(4);
  // The first slice was had before the first turn.
  expect(turns.reduce((sum, n) => sum + n, 0)).toBe(20 * 8 - 4);
});

test('when one tenant waits with much and another with little then they have slices in turns, each in its own order', async () => {
  const { work, turn } = startLoop();
  const works = [work('a1', 8), work('a2', 4), work('a3', 4), work('b1', 4)];
  const slices: string[] = [];
  for (let n = 0; n < 4; n += 1) slices.push((await turn())[0] ?? '');
  await Promise.all(works);
  expect(slices).toEqual(['a1', 'b1', 'a2', 'a3']);
});

test('when the slice of a turn is used up then other work that comes in it waits for another turn', async () => {
  const { work, turn, done } = startLoop();
  const first = work('a', 4);
  const second = work('b', 1);
  expect(done).toEqual(['a', 'a', 'a', 'a']);
  expect(await turn()).toEqual(['b']);
  await Promise.all([first, second]);
});

test('when work comes in a turn in which none was done then it does not wait', async () => {
  const { work, turn, waits } = startLoop();
  await work('a', 4);
  expect(await turn()).toEqual([]);
  expect(waits()).toBe(0);
  await work('b', 4);
  expect(await turn()).toEqual([]);
});
