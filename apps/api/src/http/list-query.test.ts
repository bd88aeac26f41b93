import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listQuery, readCursor, writeCursor } from './list-query.ts';
import { Problem } from './problem.ts';

/** What is wrong with a query: the code of the refusal and the pointers of its parameters. */
function refusal(query: Record<string, unknown>): [string, ...string[]] {
  try {
    listQuery(query);
  } catch (error) {
    if (error instanceof Problem) return [error.code, ...(error.errors ?? []).map(({ pointer }) => pointer)];
    throw error;
  }
  throw new Error('it was taken');
}

test('when filters are given then they are taken apart, and what is left out is not filtered', () => {
  expect(listQuery({})).toEqual({ filter: { metadata: {} }, after: null, limit: 20 });
  expect(
    listQuery({
      status: 'failed,expired',
      stage: 'storing,submitting',
      type: 'image',
      model: 'm',
      batch_id: 'batch_1',
      error_code: 'internal,crashed',
      'metadata.order': 'A-17',
      'metadata.a.b': '',
      created_after: '2026-01-31T08:00:00Z',
      created_before: '2026-01-31T08:00:00.500+01:00',
      limit: '100',
      cursor: writeCursor({ at: 17, id: 'job_A' }),
    }),
  ).toEqual({
    filter: {
      status: ['failed', 'expired'],
      stage: ['storing', 'submitting'],
      type: 'image',
      model: 'm',
      batchId: 'batch_1',
      errorCode: ['internal', 'crashed'],
      metadata: { order: 'A-17', 'a.b': '' },
      createdAfter: Date.UTC(2026, 0, 31, 8),
      createdBefore: Date.UTC(2026, 0, 31, 7) + 500,
    },
    after: { at: 17, id: 'job_A' },
    limit: 100,
  });
});

test.each([
  [{ limit: '0' }, ['invalid_request', '/limit']],
  [{ limit: '101' }, ['invalid_request', '/limit']],
  [{ limit: '1e1' }, ['invalid_request', '/limit']],
  [{ limit: '-1' }, ['invalid_request', '/limit']],
  [{ limit: '' }, ['invalid_request', '/limit']],
  [{ limit: ['1', '2'] }, ['invalid_request', '/limit']],
  [{ status: 'done' }, ['invalid_request', '/status/0']],
  [{ status: 'failed,' }, ['invalid_request', '/status/1']],
  [{ stage: 'sleeping' }, ['invalid_request', '/stage/0']],
  [{ stage: '' }, ['invalid_request', '/stage/0']],
  [{ type: 'video' }, ['invalid_request', '/type']],
  [{ error_code: 'oops' }, ['invalid_request', '/error_code/0']],
  [{ created_after: 'yesterday' }, ['invalid_request', '/created_after']],
  [{ created_before: '1700000000' }, ['invalid_request', '/created_before']],
  [{ order: 'asc' }, ['invalid_request', '/order']],
  [{ metadata: 'x' }, ['invalid_request', '/metadata']],
  [{ 'metadata.': 'x' }, ['invalid_request', '/metadata.']],
  [{ [`metadata.${'k'.repeat(65)}`]: 'x' }, ['invalid_request', `/metadata.${'k'.repeat(65)}`]],
  [{ cursor: 'x' }, ['bad_request']],
  [{ cursor: '!!!' }, ['bad_request']],
  [{ cursor: 'MTcuam9iX0E=' }, ['bad_request']],
  [{ cursor: Buffer.from('17').toString('base64url') }, ['bad_request']],
  [{ cursor: '' }, ['invalid_request', '/cursor']],
  [Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`metadata.k${i}`, 'v'])), ['bad_request']],
] as [Record<string, unknown>, string[]][])('when the query is %j then it is refused', (query, expected) => {
  expect(refusal(query)).toEqual(expected);
});

test('whatever text is given as a cursor, it is a cursor that we made, or refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
      try {
        expect(writeCursor(readCursor(text))).toBe(text);
      } catch (error) {
        expect(error).toBeInstanceOf(Problem);
      }
    }),
  );
});
