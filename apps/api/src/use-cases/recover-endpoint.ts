import { type JobStore, recoverOperation } from '@grsai-jobs/job-store';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import type { NudgeOperations } from './nudge-operations.ts';

/** `since` in ms since 1970. */
export type RecoverEndpoint = (order: { tenant: string; url: string; since: number }) => Promise<void>;

/**
 * An endpoint that works again: it is no longer disabled, and what it has missed since then is resent by
 * `maintain`, as it may be tens of thousands. Asked again while that goes on, what waits for its resend is not resent twice.
 */
export function createRecoverEndpoint(o: {
  store: Pick<JobStore, 'endpoints' | 'operations'>;
  nudge: NudgeOperations;
  clock: Clock;
  log: Logger;
}): RecoverEndpoint {
  return async ({ tenant, url, since }) => {
    await o.store.endpoints.enable(tenant, url);
    await o.store.operations.add(recoverOperation({ tenant, url, from: since, to: o.clock.now() }));
    o.nudge();
    o.log.info({ event: 'webhook.recover', tenant }, 'what an endpoint has missed is resent');
  };
}
