import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Logger, Service, Timers } from '@grsai-jobs/runtime';

/** Events of a server that bring a request. */
const REQUESTS = ['request', 'checkContinue', 'checkExpectation'] as const;

export interface Drain extends Service {
  /** Whether a stop has begun. The process is not ready any more, and answers all the same. */
  readonly begun: boolean;
}

/**
 * The first part of a stop: for a while a server goes on as before, but asks for the end of each connection with its next answer. A balancer
 * that keeps connections finds out meanwhile, by the readiness or by these answers, that it has to send elsewhere; what it sent before is
 * answered.
 * @param o.ms for how long; asked when the stop begins
 */
export function createDrain(server: Server, o: { ms: () => number; timers: Pick<Timers, 'sleep'>; log: Logger }): Drain {
  let drained: Promise<void> | undefined;
  const closeAfter = (_request: IncomingMessage, response: ServerResponse) => {
    if (drained !== undefined) response.shouldKeepAlive = false;
  };
  async function drain(ms: number): Promise<void> {
    if (ms === 0) return;
    o.log.info({ event: 'api.draining', ms }, 'not ready any more; what still comes is answered, and its connection closed');
    await o.timers.sleep(ms);
  }

  for (const event of REQUESTS) server.prependListener(event, closeAfter);
  return {
    name: 'drain',
    get begun() {
      return drained !== undefined;
    },
    stop() {
      drained ??= drain(o.ms());
      return drained;
    },
  };
}
