import { randomUUID } from 'node:crypto';
import { endpointId, type HeldTry, type OpenTry, type Settled, type Told } from '@grsai-jobs/job-store';
import { type Delivery, isSentOnce, type SignLink } from '@grsai-jobs/jobs';
import { done, type Entry, type Handler, type Outcome } from '@grsai-jobs/queue';
import { type Egress, type NextTry, nextTry, type PostResult, postOnce, sign } from '@grsai-jobs/webhooks';
import type { EndpointGate, Place } from './endpoint-gate.ts';
import type { Kit } from './kit.ts';
import { webhookBody } from './webhook-body.ts';

export interface DeliverKit extends Kit {
  egress: Pick<Egress, 'dispatcher' | 'admit'>;
  signLink: SignLink;
  /** The tenant's secrets, newest first. */
  secretsOf: (tenant: string) => Promise<readonly string[]>;
  random: () => number;
  gate: EndpointGate;
  /** The same in front of all endpoints of a tenant at one host and port. */
  hosts: EndpointGate;
}

/** deliver: one webhook try; the same entry waits in the queue for the next one. The delivery in Redis is the truth. */
export function createDeliverStage(kit: DeliverKit): Handler {
  return async ({ entry }) => {
    const endpoint = entry.endpoint ?? (await endpointOfDelivery(kit, entry));
    if (endpoint === null) return done;
    const place = await kit.gate.enter(endpoint);
    try {
      return await deliver(kit, entry, { endpoint, token: randomUUID() }, place);
    } finally {
      place.leave();
    }
  };
}

async function endpointOfDelivery(kit: Kit, entry: Entry): Promise<string | null> {
  const found = await kit.store.deliveries.read(entry.id);
  return found === null ? null : endpointId(found.delivery.tenant, found.delivery.url);
}

async function deliver(kit: DeliverKit, entry: Entry, held: HeldTry, place: Place): Promise<Outcome> {
  const opened = await kit.store.deliveries.open(entry, held, kit.clock.now());
  if (opened.kind === 'over') return done;
  if (opened.kind === 'wait') {
    kit.metrics.waits.inc({ why: opened.why });
    if (opened.why === 'places') place.refused();
    return { kind: 'wait', ms: opened.ms };
  }
  if (opened.kind === 'skipped') return noteSkipped(kit, opened, held);
  const { tenant, url } = opened.delivery;
  const host = await kit.hosts.enter(`${tenant} ${new URL(url).host}`);
  try {
    if (!host.free) return await waitForHost(kit, held, host);
    const at = kit.clock.now();
    const result = await tryOnce(kit, opened, at);
    for (const each of [place, host]) each.took(result.durationMs);
    if (result.code !== 'aborted') return await settle(kit, opened.delivery, { ...held, place }, at, result);
    await kit.store.deliveries.release(held);
    return { kind: 'wait', ms: 0 };
  } catch (error) {
    await kit.store.deliveries.release(held);
    throw error;
  } finally {
    host.leave();
  }
}

/** The delivery stays as it is: its entry comes again when a place is likely to be free. */
async function waitForHost(kit: DeliverKit, held: HeldTry, host: Place): Promise<Outcome> {
  kit.metrics.waits.inc({ why: 'host' });
  await kit.store.deliveries.release(held);
  return { kind: 'wait', ms: host.slotMs() };
}

/** What one try came to; `ours`: it never left us. */
type Tried = PostResult & { ours?: true };

/** One try. What we cannot even build counts as a failed one, so that it is seen and its tries come to an end (P4). */
async function tryOnce(kit: DeliverKit, told: Told, at: number): Promise<Tried> {
  const { delivery } = told;
  let request: { body: string; headers: Record<string, string> };
  try {
    const body = await webhookBody(told, kit.signLink);
    const secrets = await kit.secretsOf(delivery.tenant);
    request = { body, headers: { ...sign({ secrets, id: delivery.id, timestamp: Math.floor(at / 1000), body }) } };
  } catch (err) {
    kit.log.error({ event: 'webhook.not_built', err, delivery_id: delivery.id }, 'a webhook could not be built');
    return {
      ok: false,
      ours: true,
      phase: 'write',
      error: 'the service could not build this webhook; its operator has been told',
      answer: '',
      durationMs: 0,
    };
  }
  return await postOnce(kit.egress, { url: delivery.url, ...request, signal: kit.shutdown.cutting });
}

/** What becomes of a delivery after its try. News of a live job, and a resend, have one try only. */
function after(kit: DeliverKit, delivery: Delivery, result: Tried): NextTry {
  const next = nextTry({ tries: delivery.tries + 1 - delivery.extra, answer: result, random: kit.random });
  const single = delivery.once !== null || isSentOnce(delivery.type);
  return single && next.state === 'pending' ? { state: 'failed' } : next;
}

async function settle(
  kit: DeliverKit,
  delivery: Delivery,
  { place, ...held }: HeldTry & { place: Place },
  at: number,
  result: Tried,
): Promise<Outcome> {
  const next = after(kit, delivery, result);
  const now = kit.clock.now();
  const attempt = {
    number: delivery.tries + 1,
    at,
    duration_ms: Math.round(result.durationMs),
    ok: result.ok,
    phase: result.phase,
    ...(result.status === undefined ? {} : { status: result.status }),
    ...(result.error === undefined ? {} : { error: result.error }),
    ...(result.answer === '' ? {} : { answer: result.answer }),
  };
  const failed = next.state === 'gone' || next.state === 'failed';
  const said = result.ours ? 'none' : next.state === 'delivered' ? 'ok' : next.state === 'gone' ? 'gone' : 'failed';
  const settling = kit.store.deliveries.settle(delivery, {
    state: failed ? (delivery.once ?? 'failed') : next.state,
    attempt,
    ...(next.state === 'pending' ? { nextAt: now + next.waitMs } : {}),
    try: { ...held, result: said, now },
  });
  // Redis carries out in order what one connection asks, so the next try finds the place free.
  place.leave();
  const settled = await settling;
  noteTry(kit, delivery, attempt, next);
  noteEndpoint(kit, delivery, held, settled);
  return settled.settled && next.state === 'pending' ? { kind: 'wait', ms: next.waitMs } : done;
}

const idsOf = (delivery: Delivery) => ({
  delivery_id: delivery.id,
  ...(delivery.job_id === null ? {} : { job_id: delivery.job_id }),
  ...(delivery.batch_id === null ? {} : { batch_id: delivery.batch_id }),
  tenant: delivery.tenant,
});

function noteTry(kit: DeliverKit, delivery: Delivery, attempt: Delivery['attempts'][number], next: NextTry): void {
  kit.metrics.tries.inc({ outcome: next.state, phase: attempt.phase });
  kit.log[attempt.ok ? 'info' : 'warn'](
    {
      event: 'webhook.attempted',
      ...idsOf(delivery),
      attempt: attempt.number,
      outcome: next.state,
      phase: attempt.phase,
      status: attempt.status,
      reason: attempt.error,
      retry_in_ms: next.state === 'pending' ? next.waitMs : undefined,
      duration_ms: attempt.duration_ms,
    },
    'webhook attempted',
  );
}

function noteSkipped(kit: DeliverKit, skipped: Extract<OpenTry, { kind: 'skipped' }>, held: HeldTry): Outcome {
  const { delivery, state } = skipped;
  kit.metrics.tries.inc({ outcome: 'skipped', phase: '' });
  kit.log.warn({ event: 'webhook.skipped', ...idsOf(delivery), endpoint: held.endpoint, state }, 'no try was made');
  return done;
}

const BECAME = {
  opened: { level: 'warn', text: 'a receiver fails: no tries to it but a probe now and then' },
  closed: { level: 'info', text: 'a receiver is back' },
  disabled: { level: 'warn', text: 'a receiver is disabled: new webhooks to it are skipped' },
} as const;

function noteEndpoint(kit: DeliverKit, delivery: Delivery, held: HeldTry, { endpoint: became }: Settled): void {
  if (became === '') return;
  const { level, text } = BECAME[became];
  kit.metrics.endpoints.inc({ became });
  kit.log[level]({ event: `endpoint.${became}`, endpoint: held.endpoint, ...idsOf(delivery) }, text);
}
