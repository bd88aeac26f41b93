import { expect, test } from 'vitest';
import { fakeHost } from '../../test/fake-host.ts';
import { bar, createProgress, remaining } from './progress.ts';

function screen(isTTY: boolean) {
  const { host, stderr, pass } = fakeHost({ isTTY });
  return { progress: createProgress(host), written: stderr, pass };
}

test('when stderr is a terminal then one line is drawn again, and notes stand above it', () => {
  const { progress, written, pass } = screen(true);
  progress.update('1 of 4', { done: 1, total: 4 });
  progress.update('too soon', { done: 1, total: 4 });
  pass(1000);
  progress.update('2 of 4', { done: 2, total: 4 });
  progress.note('a note');
  progress.end();
  const clear = '\r\u001b[2K';
  expect(written()).toBe(
    `${clear}██████░░░░░░░░░░░░░░░░░░  25 % 1 of 4${clear}████████████░░░░░░░░░░░░  50 % 2 of 4, about 2.0 s left${clear}a note\n`,
  );
});

test('when stderr is no terminal then a plain line comes now and then, and at each step', () => {
  const { progress, written, pass } = screen(false);
  progress.update('1 of 4', { done: 1, total: 4 });
  pass(9000);
  progress.update('2 of 4', { done: 2, total: 4 });
  pass(1000);
  progress.update('3 of 4', { done: 3, total: 4 });
  progress.step('storing');
  progress.step('storing');
  progress.end();
  expect(written()).toBe('1 of 4\n3 of 4, about 5.0 s left\nstoring\n');
});

test('when a bar is drawn then it is never too long, and the pace shows what is left', () => {
  expect(bar({ done: 0, total: 0 })).toBe(`${'░'.repeat(24)}   0 %`);
  expect(bar({ done: 9, total: 4 })).toBe(`${'█'.repeat(24)} 100 %`);
  expect(remaining({ done: 1, total: 100 }, 1000)).toBe('');
  expect(remaining({ done: 50, total: 100 }, 60_000)).toBe(', about 1 min left');
  expect(remaining({ done: 100, total: 100 }, 60_000)).toBe('');
  // What was done before somebody looked says nothing about the pace.
  expect(remaining({ done: 50, total: 100 }, 60_000, 50)).toBe('');
  expect(remaining({ done: 75, total: 100 }, 60_000, 50)).toBe(', about 1 min left');
});
