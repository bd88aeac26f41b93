import { expect, test } from 'vitest';
import { dateOf, dayOf, endOfPeriod, monthOf, type SpentRow, usageBy } from './usage.ts';

const row = (more: Partial<SpentRow>): SpentRow => ({
  ...{ tenant: 'acme', day: 20_784, model: 'm', key: 'key_1' },
  ...{ jobs: 1, credits: 10, reserved: 2, refunded: 3, prompt_tokens: 4, completion_tokens: 5 },
  ...more,
});

test('when rows are grouped then each group has its sums, in order, and what is not grouped by is null', () => {
  const rows = [row({ model: 'z' }), row({ day: 20_783 }), row({ key: 'key_2' }), row({ tenant: 'other', jobs: 7 })];
  expect(usageBy(rows, ['day'])).toMatchObject([
    { day: dateOf(20_783), model: null, key: null, tenant: null, jobs: 1, credits: 10 },
    { day: dateOf(20_784), jobs: 9, credits: 30, reserved: 6, refunded: 9, prompt_tokens: 12, completion_tokens: 15 },
  ]);
  expect(usageBy(rows, ['model', 'tenant'])).toMatchObject([
    { day: null, tenant: 'acme', model: 'm', jobs: 2 },
    { tenant: 'acme', model: 'z', jobs: 1 },
    { tenant: 'other', model: 'm', jobs: 7 },
  ]);
  expect(usageBy([], ['key'])).toEqual([]);
});

test('when a period ends then that is at midnight UTC, and never for one without an end', () => {
  const now = Date.parse('2026-12-31T23:59:59.999Z');
  expect(endOfPeriod('day', now)).toBe(now + 1);
  expect(endOfPeriod('month', now)).toBe(now + 1);
  expect(endOfPeriod('month', Date.parse('2028-02-01'))).toBe(Date.parse('2028-03-01'));
  expect(endOfPeriod('total', now)).toBeNull();
  expect(monthOf(dayOf(now)) + 1).toBe(monthOf(dayOf(now + 1)));
});
