import type { RetryOrdered } from '@grsai-jobs/job-store';
import type { BatchRecord } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { createRetryFailed } from './retry-failed.ts';

const batch = (status: BatchRecord['status'], more: Partial<BatchRecord> = {}): BatchRecord =>
  ({ id: 'batch_1', status, round: 1, unknown: 0, counts: { failed: 2 }, ...more }) as BatchRecord;

/** Asks for a retry of a batch that was read as running and is another by the time of the order. */
async function retryOf(now: BatchRecord | null) {
  const orders: unknown[] = [];
  const retryFailed = createRetryFailed({
    batches: {
      read: async () => now,
      retryBefore: async () => null,
      retryFailed: async (_, { asRead }): Promise<RetryOrdered> => {
        orders.push(asRead?.status);
        return { kind: asRead === now ? 'ordered' : 'changed' };
      },
    },
    nudge: () => undefined,
  });
  return { answer: await retryFailed(batch('running'), { includeUnknown: false }), orders };
}

test('when a batch was canceled between its reading and the order then a retry is refused, and not promised', async () => {
  expect(await retryOf(batch('canceling'))).toEqual({ answer: { kind: 'canceling' }, orders: ['running'] });
});

test('when a batch has ended between its reading and the order then its failed jobs run in the next round', async () => {
  const { answer, orders } = await retryOf(batch('completed'));
  expect(answer).toMatchObject({ kind: 'retrying', retrying: 2, in_round: 2 });
  expect(orders).toEqual(['running', 'completed']);
});

test('when a batch was erased between its reading and the order then there is none', async () => {
  expect(await retryOf(null)).toMatchObject({ answer: { kind: 'missing' } });
});
