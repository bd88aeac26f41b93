import type { Egress, PostResult } from '@grsai-jobs/egress';
import type { OpenAttempt, Settlement } from '@grsai-jobs/job-store';
import { type Delivery, isSentOnce, type SignLink } from '@grsai-jobs/jobs';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import { type NextAttempt, nextAttempt, type Signable, sign } from '@grsai-jobs/webhooks';
import { webhookBody } from './webhook-body.ts';

export interface AttemptDeps {
  clock: Clock;
  log: Logger;
  shutdown: {
    readonly stopping: AbortSignal;
    /** Fires shortly before the deadline of a shutdown: attempts that are open are cut. */
    readonly cutting: AbortSignal;
  };
  egress: Pick<Egress, 'post'>;
  signLink: SignLink;
  /** The tenant's secrets, newest first. */
  secretsOf: (tenant: string) => Promise<Signable['secrets']>;
  random: () => number;
}

/** What one attempt came to; `ours`: it never left us. `null`: it was broken off on our side. */
type Tried = PostResult & { ours?: true };

/** What an attempt came to, and what becomes of its delivery then. */
export interface Attempted {
  settlement: Omit<Settlement, 'wants'>;
  next: NextAttempt;
  tookMs: number;
}

/** One attempt at one delivery: built from the record, signed, sent. `null`: we are stopping, and it was cut short. */
export async function makeAttempt(d: AttemptDeps, open: OpenAttempt): Promise<Attempted | null> {
  const at = d.clock.now();
  const result = await send(d, open, at);
  if (result.code === 'aborted') return null;
  const next = after(d, open.delivery, result);
  return { settlement: settlementOf(open, { at, result, next }), next, tookMs: result.durationMs };
}

/** What we cannot even build counts as a failed attempt, so that it is seen and its attempts come to an end (P4). */
async function send(d: AttemptDeps, open: OpenAttempt, at: number): Promise<Tried> {
  const { delivery } = open;
  let request: { body: string; headers: Record<string, string> };
  try {
    const body = await webhookBody(open, d.signLink);
    const secrets = await d.secretsOf(delivery.tenant);
    request = { body, headers: { ...sign({ secrets, id: delivery.id, timestamp: Math.floor(at / 1000), body }) } };
  } catch (err) {
    d.log.error({ event: 'webhook.not_built', err, delivery_id: delivery.id }, 'a webhook could not be built');
    return {
      ok: false,
      ours: true,
      phase: 'write',
      error: 'the service could not build this webhook; its operator was notified',
      answer: '',
      durationMs: 0,
    };
  }
  return await d.egress.post({ url: delivery.url, ...request, signal: d.shutdown.cutting });
}

/** What becomes of a delivery after its attempt. Reports of a live job, and a resend, have one attempt only. */
function after(d: AttemptDeps, delivery: Delivery, result: Tried): NextAttempt {
  const next = nextAttempt({ made: delivery.attempts_made + 1 - delivery.extra, answer: result, random: d.random });
  const single = delivery.once !== null || isSentOnce(delivery.type);
  return single && next.state === 'pending' ? { state: 'failed' } : next;
}

function settlementOf(
  { delivery, lease }: OpenAttempt,
  { at, result, next }: { at: number; result: Tried; next: NextAttempt },
): Attempted['settlement'] {
  const failed = next.state === 'gone' || next.state === 'failed';
  const said = result.ours ? 'none' : next.state === 'delivered' ? 'ok' : next.state === 'gone' ? 'gone' : 'failed';
  return {
    state: failed ? (delivery.once ?? 'failed') : next.state,
    attempt: {
      number: delivery.attempts_made + 1,
      at,
      duration_ms: Math.round(result.durationMs),
      ok: result.ok,
      phase: result.phase,
      ...(result.status === undefined ? {} : { status: result.status }),
      ...(result.error === undefined ? {} : { error: result.error }),
      ...(result.answer === '' ? {} : { answer: result.answer }),
    },
    ...(next.state === 'pending' ? { waitMs: next.waitMs } : {}),
    lease: { ...lease, result: said, answered: result.status !== undefined, tookMs: result.durationMs },
  };
}
