import { expect, test } from 'vitest';
import type { StoredImage, UnstoredOutput } from './job/job.ts';
import { nextLatePoll, refreshed, refusedAgain } from './unstored.ts';

const a = { url: 'https://f/a' };
const b = { url: 'https://f/b' };
const stored: UnstoredOutput = { ...a, stored: { key: 'k' } as StoredImage };
const lost: UnstoredOutput = { ...a, lost: 'HTTP 404' };
const inline: UnstoredOutput = {};

test.each<[string, UnstoredOutput[], UnstoredOutput[], UnstoredOutput[]]>([
  ['names the same', [a, b], [a, b], [a, b]],
  ['names another link', [a, b], [a, { url: 'https://f/c' }], [a, { url: 'https://f/c' }]],
  ['has the bytes by now', [a], [inline], [inline]],
  ['has a link where it had bytes', [inline], [a], [a]],
  ['names one more', [a], [a, b], [a, b]],
  ['names nothing', [a, b], [], [a, b]],
  ['names fewer, an old one', [a, b], [b], [a, b]],
  ['names fewer, a new one', [stored, b], [{ url: 'https://f/c' }], [stored, { url: 'https://f/c' }]],
  ['names others for what is settled', [stored, lost], [b, b], [stored, lost]],
])('when the task %s', (_, outputs, named, want) => expect(refreshed(outputs, named)).toEqual(want));

test('when an output is refused again and again then it is tried seven times in 50 s and lost then', () => {
  let output: UnstoredOutput = a;
  const tries = [0];
  for (let now = 0; output.lost === undefined; now = output.refused?.next ?? now) {
    output = refusedAgain(output, { reason: 'HTTP 404', startedAt: now, now });
    if (output.refused) tries.push(output.refused.next / 1000);
  }
  expect(tries).toEqual([0, 2, 5, 10, 20, 35, 50]);
  expect(output).toEqual({ ...a, lost: 'HTTP 404' });
});

test('when each refusal takes long then there are three of them all the same', () => {
  let output: UnstoredOutput = a;
  let times = 0;
  for (let now = 40_000; output.lost === undefined; now = (output.refused?.next ?? now) + 40_000) {
    output = refusedAgain(output, { reason: 'HTTP 404', startedAt: now - 40_000, now });
    times += 1;
  }
  expect(times).toBe(3);
});

test('when a lost result is looked for then after 5, 15, 30, 60 and 100 min, and no more', () => {
  const polls: number[] = [];
  for (let at = nextLatePoll(0, 0); at !== null; at = nextLatePoll(0, at)) polls.push(at / 60_000);
  expect(polls).toEqual([5, 15, 30, 60, 100]);
});
