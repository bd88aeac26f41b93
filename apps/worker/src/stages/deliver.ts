import type { Delivery, JobRecord, SignLink } from '@grsai-jobs/jobs';
import { done, type Handler, type Outcome } from '@grsai-jobs/queue';
import { type Egress, nextTry, type PostResult, postOnce, sign } from '@grsai-jobs/webhooks';
import type { Kit } from './kit.ts';
import { webhookBody } from './webhook-body.ts';

export interface DeliverKit extends Kit {
  egress: Egress;
  signLink: SignLink;
  /** The tenant's secrets, newest first. */
  secretsOf: (tenant: string) => Promise<readonly string[]>;
  random: () => number;
}

/** deliver: one webhook try; the same entry waits in the queue for the next one. The delivery in Redis is the truth. */
export function createDeliverStage(kit: DeliverKit): Handler {
  return async ({ entry }) => {
    const found = await kit.store.deliveries.read(entry.id);
    if (found === null || found.delivery.step !== entry.step || found.delivery.state !== 'pending') return done;
    const { delivery, job } = found;
    const at = kit.clock.now();
    const early = (delivery.next_attempt_at ?? at) - at;
    if (early > 1000) return { kind: 'wait', ms: early };
    const result = await tryOnce(kit, delivery, job, at);
    if (result.code === 'aborted') return { kind: 'wait', ms: 0 };
    return await settle(kit, delivery, at, result);
  };
}

/** One try. What we cannot even build counts as a failed one, so that it is seen and its tries come to an end (P4). */
async function tryOnce(kit: DeliverKit, delivery: Delivery, job: JobRecord | null, at: number): Promise<PostResult> {
  let request: { body: string; headers: Record<string, string> };
  try {
    const body = await webhookBody(delivery, job, kit.signLink, at);
    const secrets = await kit.secretsOf(delivery.tenant);
    request = { body, headers: { ...sign({ secrets, id: delivery.id, timestamp: Math.floor(at / 1000), body }) } };
  } catch (err) {
    kit.log.error({ event: 'webhook.not_built', err, delivery_id: delivery.id }, 'a webhook could not be built');
    return {
      ok: false,
      phase: 'write',
      error: 'the service could not build this webhook; its operator has been told',
      answer: '',
      durationMs: 0,
    };
  }
  return await postOnce(kit.egress, { url: delivery.url, ...request, signal: kit.shutdown.cutting });
}

async function settle(kit: DeliverKit, delivery: Delivery, at: number, result: PostResult): Promise<Outcome> {
  const tries = delivery.tries + 1;
  const next = nextTry({ tries, answer: result, random: kit.random });
  const attempt = {
    number: tries,
    at,
    duration_ms: Math.round(result.durationMs),
    ok: result.ok,
    phase: result.phase,
    ...(result.status === undefined ? {} : { status: result.status }),
    ...(result.error === undefined ? {} : { error: result.error }),
    ...(result.answer === '' ? {} : { answer: result.answer }),
  };
  const nextAt = next.state === 'pending' ? kit.clock.now() + next.waitMs : undefined;
  const state = next.state === 'gone' ? 'failed' : next.state;
  const settled = await kit.store.deliveries.settle(delivery, { state, attempt, ...(nextAt === undefined ? {} : { nextAt }) });
  kit.metrics.tries.inc({ outcome: next.state, phase: result.phase });
  kit.log[result.ok ? 'info' : 'warn'](
    {
      event: 'webhook.attempted',
      delivery_id: delivery.id,
      job_id: delivery.job_id,
      tenant: delivery.tenant,
      attempt: tries,
      outcome: next.state,
      phase: result.phase,
      status: result.status,
      reason: result.error,
      retry_in_ms: next.state === 'pending' ? next.waitMs : undefined,
      duration_ms: attempt.duration_ms,
    },
    'webhook attempted',
  );
  return settled && next.state === 'pending' ? { kind: 'wait', ms: next.waitMs } : done;
}
