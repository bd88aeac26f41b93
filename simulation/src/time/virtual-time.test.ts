import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VirtualTime } from './virtual-time.ts';

/** Lets everything happen; answers what happened, each with its moment. */
async function all(time: VirtualTime, seen: readonly unknown[]): Promise<readonly unknown[]> {
  while (await time.step());
  return seen;
}

test('when events are due at several moments then they happen in order, those of one moment as they were made', async () => {
  const time = new VirtualTime(1000);
  const seen: [string, number][] = [];
  const note = (name: string) => () => seen.push([name, time.now()]);
  time.after(20, note('c'));
  time.after(10, note('a'));
  time.after(10, note('b'));
  time.after(-5, note('at once'));
  expect(time.next()).toBe(1000);
  expect(await all(time, seen)).toEqual([
    ['at once', 1000],
    ['a', 1010],
    ['b', 1010],
    ['c', 1020],
  ]);
  expect([time.next(), await time.step()]).toEqual([null, false]);
});

test('when an event makes others then those of the same moment come after the ones that were there', async () => {
  const time = new VirtualTime(0);
  const seen: string[] = [];
  time.after(5, () => {
    seen.push('first');
    time.after(0, () => seen.push('made'));
  });
  time.after(5, () => seen.push('second'));
  expect(await all(time, seen)).toEqual(['first', 'second', 'made']);
});

test('when an event is called off then it never happens, and time does not stop for it', async () => {
  const time = new VirtualTime(0);
  const seen: number[] = [];
  const callOff = time.after(5, () => seen.push(5));
  const late = time.after(7, () => seen.push(7));
  time.after(9, () => late());
  callOff();
  callOff();
  expect(time.next()).toBe(7);
  expect(await all(time, seen)).toEqual([7]);
  expect(time.now()).toBe(9);
});

test('when an event sets promises going then they have come to rest before the next one', async () => {
  const time = new VirtualTime(0);
  const seen: string[] = [];
  const promises = async () => {
    for (let n = 0; n < 50; n += 1) await Promise.resolve();
    seen.push('promises');
  };
  time.after(1, () => void promises());
  time.after(1, () => seen.push('next'));
  expect(await all(time, seen)).toEqual(['promises', 'next']);
});

test('when something is waited for then time goes no further than until it holds, or until the limit', async () => {
  const time = new VirtualTime(0);
  let count = 0;
  const again = () => {
    count += 1;
    time.after(10, again);
  };
  time.after(10, again);
  expect(await time.until(() => count === 3)).toBe(true);
  expect(time.now()).toBe(30);
  expect(await time.until(() => count === 100, 55)).toBe(false);
  expect([time.now(), count]).toEqual([55, 5]);
});

test('when nothing is to happen any more then waiting ends', async () => {
  expect(await new VirtualTime(0).until(() => false)).toBe(false);
});

test('when any events are made and called off then all others happen, sorted by moment and then by age', async () => {
  const acts = fc.array(fc.record({ ms: fc.nat({ max: 40 }), off: fc.boolean() }), { maxLength: 120 });
  await fc.assert(
    fc.asyncProperty(acts, async (made) => {
      const time = new VirtualTime(0);
      const seen: number[] = [];
      const offs = made.map(({ ms }, i) => time.after(ms, () => seen.push(i)));
      for (const [i, { off }] of made.entries()) if (off) offs[i]?.();
      const kept = made.flatMap(({ ms, off }, i) => (off ? [] : [{ ms, i }]));
      expect(await all(time, seen)).toEqual(kept.sort((a, b) => a.ms - b.ms || a.i - b.i).map(({ i }) => i));
    }),
    { numRuns: 60 },
  );
});
