import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAILURE_CODES, FAILURES, type FailureCode } from './failures.ts';

interface Row {
  code: string;
  meaning: string;
  paid: string;
  retryable: string;
  whatToDo: string;
}

/** The rows of the table under a heading of docs/errors.md. */
function rowsUnder(heading: string): Row[] {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  const section = page.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return [...section.matchAll(/^\| `([a-z_]+)` *\|(.*)\|$/gm)].map(([, code = '', rest = '']) => {
    const [meaning = '', paid = '', retryable = '', whatToDo = ''] = rest.split('|').map((cell) => cell.trim());
    return { code, meaning, paid, retryable, whatToDo };
  });
}

const ROWS = rowsUnder('Failures of a job');

test('when a failure code exists then docs/errors.md has one row for it, and every row has its code', () => {
  expect(ROWS.map(({ code }) => code).sort()).toEqual([...FAILURE_CODES].sort());
});

test.each(ROWS)('when $code is looked up then its row says what the table of failures says', ({ code, ...row }) => {
  const failure = FAILURES[code as FailureCode];
  expect(row.retryable).toBe(failure.retryable ? 'yes' : 'no');
  expect(/^[a-z]+/.exec(row.paid)?.[0]).toBe(failure.paid);
  expect(row.meaning).not.toBe('');
  expect(row.whatToDo).not.toBe('');
});
