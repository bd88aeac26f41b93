import { randomUUID } from 'node:crypto';
import type { Delivery } from '@grsai-jobs/jobs';
import { type AttemptLease, endpointRef, type Opened } from '../src/index.ts';
import { imageDoc, newJobId, type Started } from './harness.ts';

export const URL_A = 'https://caller.example/hooks';
export const ENDPOINT = endpointRef('acme', URL_A);

const ATTEMPT = { number: 1, at: 1, duration_ms: 1, ok: false, phase: 'response' };

/** A webhook that is unsent: its job has just failed. */
export async function pendingDelivery(harness: Started, url = URL_A) {
  const id = newJobId();
  await harness.store.transitions.create({ id, tenant: 'acme', doc: imageDoc({ webhook: { url } }) });
  const job = await harness.store.jobs.read(id);
  if (job === null) throw new Error('no record');
  await harness.store.transitions.commit(job, { kind: 'finish', status: 'failed' });
  const event = (await harness.store.jobs.read(id))?.webhook.last_delivery_id ?? '';
  const read = async (): Promise<Delivery> => {
    const found = await harness.store.deliveries.read(event);
    if (found === null) throw new Error(`no delivery ${event}`);
    return found.delivery;
  };
  return { id: event, jobId: id, read };
}

export type Unsent = Awaited<ReturnType<typeof pendingDelivery>>;

export const attemptLease = (endpoint = ENDPOINT): AttemptLease => ({ endpoint, token: randomUUID() });

/** Asks for an attempt of a delivery as a worker does that has its entry. */
export async function ask(harness: Started, unsent: Unsent, lease = attemptLease()): Promise<Opened & { lease: AttemptLease }> {
  const { step } = await unsent.read();
  return { lease, ...(await harness.store.deliveries.open({ id: unsent.id, step }, lease)) };
}

/** Ends an attempt; a failed one leaves its delivery pending, to be made again at once. */
export async function end(
  harness: Started,
  unsent: Pick<Unsent, 'read'>,
  lease: AttemptLease,
  result: 'ok' | 'failed' | 'gone' | 'none',
  o: { tookMs?: number; answered?: boolean; wants?: readonly string[] } = {},
) {
  const state = result === 'ok' ? 'delivered' : result === 'gone' ? 'failed' : 'pending';
  const next = state === 'pending' ? { waitMs: 0 } : {};
  return await harness.store.deliveries.settle(await unsent.read(), {
    state,
    attempt: { ...ATTEMPT, ok: result === 'ok' },
    ...next,
    wants: o.wants ?? [],
    lease: { ...lease, result, answered: o.answered ?? true, tookMs: o.tookMs ?? 5 },
  });
}

/** One whole attempt of a delivery that must be let out. */
export async function attemptOf(harness: Started, unsent: Unsent, result: 'ok' | 'failed' | 'gone', tookMs = 0) {
  const asked = await ask(harness, unsent);
  if (asked.kind !== 'open') throw new Error(`not open: ${JSON.stringify(asked)}`);
  await harness.clock.advance(tookMs);
  // The permit may go to one that has waited longer.
  return await end(harness, asked.swapped ? { read: async () => asked.delivery } : unsent, asked.lease, result, { tookMs });
}
