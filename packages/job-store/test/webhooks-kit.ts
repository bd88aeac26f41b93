import { randomUUID } from 'node:crypto';
import type { Delivery } from '@grsai-jobs/jobs';
import { endpointRef, type HeldTry, type OpenTry } from '../src/index.ts';
import { imageDoc, newJobId, type Started } from './kit.ts';

export const URL_A = 'https://caller.example/hooks';
export const ENDPOINT = endpointRef('acme', URL_A);

const ATTEMPT = { number: 1, at: 1, duration_ms: 1, ok: false, phase: 'response' };

/** A webhook that is owed: its job has just failed. */
export async function owedDelivery(kit: Started, url = URL_A) {
  const id = newJobId();
  await kit.store.moves.accept({ id, tenant: 'acme', doc: imageDoc({ webhook: { url } }) });
  const job = await kit.store.jobs.read(id);
  if (job === null) throw new Error('no record');
  await kit.store.moves.end(job, { status: 'failed' });
  const event = (await kit.store.jobs.read(id))?.webhook.last_delivery_id ?? '';
  const read = async (): Promise<Delivery> => {
    const found = await kit.store.deliveries.read(event);
    if (found === null) throw new Error(`no delivery ${event}`);
    return found.delivery;
  };
  return { id: event, jobId: id, read };
}

export type Owed = Awaited<ReturnType<typeof owedDelivery>>;

export const heldTry = (endpoint = ENDPOINT): HeldTry => ({ endpoint, token: randomUUID() });

/** Asks for an attempt of a delivery as a worker does that has its entry. */
export async function ask(kit: Started, owed: Owed, held = heldTry()): Promise<OpenTry & { held: HeldTry }> {
  const { step } = await owed.read();
  return { held, ...(await kit.store.deliveries.open({ id: owed.id, step }, held, { now: kit.clock.now() })) };
}

/** Ends an attempt; a failed one leaves its delivery pending, to be made again at once. */
export async function end(
  kit: Started,
  owed: Pick<Owed, 'read'>,
  held: HeldTry,
  result: 'ok' | 'failed' | 'gone' | 'none',
  o: { tookMs?: number; answered?: boolean; wants?: readonly string[] } = {},
) {
  const now = kit.clock.now();
  const state = result === 'ok' ? 'delivered' : result === 'gone' ? 'failed' : 'pending';
  const next = state === 'pending' ? { nextAt: now } : {};
  return await kit.store.deliveries.settle(await owed.read(), {
    state,
    attempt: { ...ATTEMPT, ok: result === 'ok' },
    now,
    ...next,
    wants: o.wants ?? [],
    try: { ...held, result, answered: o.answered ?? true, tookMs: o.tookMs ?? 5 },
  });
}

/** One whole attempt of a delivery that must be let out. */
export async function tryOf(kit: Started, owed: Owed, result: 'ok' | 'failed' | 'gone', tookMs = 0) {
  const asked = await ask(kit, owed);
  if (asked.kind !== 'open') throw new Error(`not open: ${JSON.stringify(asked)}`);
  await kit.clock.advance(tookMs);
  // The permit may go to one that has waited longer.
  return await end(kit, asked.swapped ? { read: async () => asked.delivery } : owed, asked.held, result, { tookMs });
}
