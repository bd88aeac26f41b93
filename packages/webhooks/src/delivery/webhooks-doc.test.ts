import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ATTEMPT_WAITS_MS, JITTER, MAX_RETRY_AFTER_MS } from './schedule.ts';

const text = readFileSync(new URL('../../../../docs/webhooks.md', import.meta.url), 'utf8');
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, min: 60_000, h: 3_600_000 };

test('docs/webhooks.md says the schedule that is kept', () => {
  const rows = [...text.matchAll(/^\| (\d{1,2}) +\| (.+?) +\|$/gm)].map(([, number, wait = '']) => {
    const [amount, unit = ''] = wait.split(' ');
    return [Number(number), wait === 'at once' ? 0 : Number(amount) * (UNIT_MS[unit] ?? Number.NaN)];
  });
  expect(rows).toEqual(ATTEMPT_WAITS_MS.map((wait, i) => [i + 1, wait]));
  expect(text).toContain(`varies by ${JITTER * 100} % up or down`);
  expect(text).toContain(`up to ${MAX_RETRY_AFTER_MS / 3_600_000} h`);
});
