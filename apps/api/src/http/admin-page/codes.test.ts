import { FAILURE_CODES, STATUSES as KNOWN } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { CODES, STATUSES } from './codes.js';

test('the page knows every failure code and every status, and no others', () => {
  expect([...CODES].sort()).toEqual([...FAILURE_CODES].sort());
  expect([...STATUSES].sort()).toEqual([...KNOWN].sort());
});
