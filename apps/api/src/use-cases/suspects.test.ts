import type { Conflict } from '@grsai-jobs/job-store';
import type { Job } from '@grsai-jobs/jobs';
import { expect, test } from 'vitest';
import { createDecideSuspects } from './suspects.ts';

test('when a suspect that is to fail cannot be ended then it stays held, and does not run', async () => {
  const job = { id: 'job_1', status: 'queued', stage: null, run: 1, doc: { type: 'image' } } as Job;
  const released: string[] = [];
  const decide = createDecideSuspects({
    store: {
      jobs: { read: async () => job, heads: async () => [], each: async function* () {} },
      transitions: { commit: async (): Promise<Conflict> => ({ kind: 'stale', state: 'queued' }) },
      suspects: {
        heldOf: async (ids: readonly string[]) => [...ids],
        release: async (ids: readonly string[]) => void released.push(...ids),
        count: async () => 1,
      } as never,
    },
    producer: {} as never,
    clock: { now: () => 0 },
    log: {} as never,
  });
  expect(await decide('fail', { ids: ['job_1'] })).toEqual({ decided: 0, left: 1 });
  expect(released).toEqual([]);
});
