import { expect, test } from 'vitest';
import type { Decision } from '../runner/decision.ts';
import { keptApart } from './kept-apart.ts';

interface Stored {
  id: string;
  crashes: number;
}

function stage() {
  let time = 0;
  const open = new Map<string, () => void>();
  const apart = keptApart<Stored>(
    {
      name: 'store',
      find: async () => null,
      decide: async ({ id }) => {
        await new Promise<void>((resolve) => open.set(id, resolve));
        open.delete(id);
        return { entry: 'done' };
      },
    },
    () => time,
  );
  const begin = (id: string, crashes = 0): Promise<Decision> => apart.decide({ id, crashes });
  const advance = (ms: number) => {
    time += ms;
  };
  const isBack = async (decided: Promise<Decision>) => (await decided).entry !== 'done';
  return { begin, isBack, open, advance };
}

test('when jobs have crashed less than twice then they are worked on side by side', async () => {
  const { begin, open } = stage();
  const both = [begin('a'), begin('b', 1)];
  expect([...open.keys()]).toEqual(['a', 'b']);
  for (const end of open.values()) end();
  expect(await Promise.all(both)).toEqual([{ entry: 'done' }, { entry: 'done' }]);
});

test('when a job has crashed twice then it begins once all others have ended, none begins meanwhile, and all go on afterwards', async () => {
  const { begin, isBack, open } = stage();
  const other = begin('other');
  expect(await isBack(begin('suspect', 2))).toBe(true);
  // It is waited for.
  expect(await isBack(begin('third'))).toBe(true);
  open.get('other')?.();
  await other;
  const alone = begin('suspect', 2);
  expect([...open.keys()]).toEqual(['suspect']);
  expect(await isBack(begin('third'))).toBe(true);
  expect(await isBack(begin('another suspect', 3))).toBe(true);
  open.get('suspect')?.();
  await alone;
  const [third, fourth] = [begin('third'), begin('fourth', 1)];
  expect([...open.keys()]).toEqual(['third', 'fourth']);
  for (const end of open.values()) end();
  await Promise.all([third, fourth]);
});

test('when a job that is waited for does not come again then the others go on after three seconds', async () => {
  const { begin, isBack, open, advance } = stage();
  const other = begin('other');
  expect(await isBack(begin('suspect', 2))).toBe(true);
  advance(2_999);
  expect(await isBack(begin('third'))).toBe(true);
  advance(1);
  const third = begin('third');
  expect([...open.keys()]).toEqual(['other', 'third']);
  for (const end of open.values()) end();
  await Promise.all([other, third]);
});

test('when one was alone then the others have their turn before the next one is, however many there are', async () => {
  const { begin, isBack, open, advance } = stage();
  const first = begin('suspect 1', 2);
  expect(await isBack(begin('suspect 2', 2))).toBe(true);
  open.get('suspect 1')?.();
  await first;
  expect(await isBack(begin('suspect 2', 2))).toBe(true);
  const others = [begin('a'), begin('b')];
  expect([...open.keys()]).toEqual(['a', 'b']);
  for (const end of open.values()) end();
  await Promise.all(others);
  advance(5000);
  const second = begin('suspect 2', 2);
  expect([...open.keys()]).toEqual(['suspect 2']);
  open.get('suspect 2')?.();
  await second;
});

test('when one that is alone takes long then others are worked on beside it', async () => {
  const { begin, isBack, open, advance } = stage();
  const slow = begin('suspect', 2);
  advance(19_999);
  expect(await isBack(begin('a'))).toBe(true);
  advance(1);
  const other = begin('a');
  expect([...open.keys()]).toEqual(['suspect', 'a']);
  for (const end of open.values()) end();
  await Promise.all([slow, other]);
});
