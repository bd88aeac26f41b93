import { expect, test } from 'vitest';
import { parseEntry } from './entries.ts';

test.each([
  ['this version', { id: 'job_A.12', data: { v: 2, batch: 'batch_B' } }, { id: 'job_A', step: 12, batch_id: 'batch_B' }],
  ['this version, of a single job', { id: 'job_A.1', data: { v: 2 } }, { id: 'job_A', step: 1 }],
  ['version 1', { id: 'job_A.3', data: { v: 1, job_id: 'job_A', step: 3 } }, { id: 'job_A', step: 3 }],
  ['a delivery', { id: 'evt_A.2', data: { v: 1, delivery_id: 'evt_A', step: 2 } }, { id: 'evt_A', step: 2 }],
])('when an entry of %s comes then it is read', (_what, entry, read) => {
  expect(parseEntry(entry)).toEqual(read);
});

test.each([
  ['a later version', { id: 'job_A.1', data: { v: 3 } }],
  ['an id without a step', { id: 'job_A', data: { v: 2 } }],
  ['no data', { id: 'job_A.1', data: {} }],
])('when an entry has %s then it is refused', (_what, entry) => {
  expect(() => parseEntry(entry)).toThrow();
});
