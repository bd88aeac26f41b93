import { FAILURE_CODES, STATUSES as KNOWN, STAGES as KNOWN_STAGES } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { CODES, STAGES, STATUSES } from './codes.js';

test('the page knows every failure code, status and stage, and no others', () => {
  expect([...CODES].sort()).toEqual([...FAILURE_CODES].sort());
  expect([...STATUSES].sort()).toEqual([...KNOWN].sort());
  expect([...STAGES].sort()).toEqual([...KNOWN_STAGES].sort());
});
