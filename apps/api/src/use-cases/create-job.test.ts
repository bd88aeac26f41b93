import type { Idempotency } from '@grsai-jobs/job-store';
import { type JobRecord, JobRequest } from '@grsai-jobs/jobs';
import { createLogger, createSliceQueue } from '@grsai-jobs/runtime';
import { expect, test } from 'vitest';
import { createCreateJob } from './create-job.ts';

const REQUEST = JobRequest.parse({ type: 'image', input: { model: 'nano-banana-2', prompt: 'a lighthouse' } });

/** They may do anything. */
const TENANTS = {
  rules: async () => ({
    quotas: { redis: 0, stored: 0, live: 0 },
    maxInFlight: 0,
    maxQueued: 0,
    requestsPerMinute: 0,
    budget: null,
    models: null,
  }),
  allowance: async () => ({}),
};

/** Accepts a request whose inputs were stored, over a Redis that fails so, and says how often the inputs were removed. */
async function discardsAfter(message: string): Promise<number> {
  let discarded = 0;
  const accept = createCreateJob({
    store: {} as never,
    create: async () => Promise.reject(new Error(message)),
    told: () => undefined,
    producer: {} as never,
    defaults: { image: 'fail', chat: 'resubmit' },
    newUlid: () => '01K9ZV5W3N8Q2R4T6V8X0Z2B4D',
    uploadInputs: async (doc) => ({
      kind: 'uploaded',
      doc,
      note: null,
      discard: async () => {
        discarded += 1;
      },
    }),
    memory: { tight: () => false },
    tenants: TENANTS,
    catalogue: { price: () => null, fallbackPrices: () => ({}) },
    slices: createSliceQueue(),
    clock: { now: () => 0 },
    log: createLogger({ name: 'test', level: 'silent', pretty: false }),
  });
  await expect(accept(REQUEST, { tenant: 'acme', keyId: 'key_1', requestId: 'r', body: {} })).rejects.toThrow(message);
  return discarded;
}

test('when Redis took nothing then the stored inputs of the request are removed', async () => {
  expect(await discardsAfter("OOM command not allowed when used memory > 'maxmemory'.")).toBe(1);
  expect(await discardsAfter("Stream isn't writeable and enableOfflineQueue options is false")).toBe(1);
});

test('when the answer of Redis was lost then the stored inputs stay, since the job may exist', async () => {
  expect(await discardsAfter('Connection is closed.')).toBe(0);
  expect(await discardsAfter('Command timed out')).toBe(0);
});

test('when Redis is nearly full then a key that is known is answered, and a new one is refused', async () => {
  const known = { id: 'job_A', status: 'succeeded' } as JobRecord;
  const told: string[] = [];
  const accept = createCreateJob({
    store: {
      jobs: {
        ofKey: async (_tenant: string, { key }: Idempotency) => (key === 'known' ? { kind: 'replay', id: 'job_A' } : null),
        read: async () => known,
      },
    } as never,
    create: async () => Promise.reject(new Error('not asked')),
    told: (id) => told.push(id),
    producer: {} as never,
    defaults: { image: 'fail', chat: 'resubmit' },
    newUlid: () => '01K9ZV5W3N8Q2R4T6V8X0Z2B4D',
    uploadInputs: async (doc) => ({ kind: 'uploaded', doc, note: null, discard: async () => undefined }),
    memory: { tight: () => true },
    tenants: TENANTS,
    catalogue: { price: () => null, fallbackPrices: () => ({}) },
    slices: createSliceQueue(),
    clock: { now: () => 0 },
    log: createLogger({ name: 'test', level: 'silent', pretty: false }),
  });
  const from = { tenant: 'acme', keyId: 'key_1', requestId: 'r', body: {} };
  expect(await accept(REQUEST, { ...from, idempotencyKey: 'known' })).toEqual({
    kind: 'accepted',
    record: known,
    replayed: true,
  });
  expect(told).toEqual(['job_A']);
  expect(await accept(REQUEST, { ...from, idempotencyKey: 'new' })).toEqual({ kind: 'full' });
  expect(await accept(REQUEST, from)).toEqual({ kind: 'full' });
});
