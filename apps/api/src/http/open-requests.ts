import type { ServerResponse } from 'node:http';
import { Problem } from './problem.ts';

/** What one tenant may have open at a time in one process. */
export interface OpenLimits {
  /** Requests that are being answered. */
  requests: number;
  /** Streams of events, and requests that wait for the end of a job. */
  streams: number;
}

/** Honest scripts send a thousand jobs at once; their bodies have a budget of their own. */
const OPEN_LIMITS: OpenLimits = { requests: 1000, streams: 1000 };

type Kind = keyof OpenLimits;

export interface OpenRequests {
  /** Counts a request until it is over. @throws Problem 429 */
  enter(tenant: string, response: ServerResponse): void;
  /** From here on it is one that lasts. @throws Problem 429 */
  lasts(response: ServerResponse): void;
}

const ADVICE: Readonly<Record<Kind, string>> = {
  requests: 'Send it again when others have been answered.',
  streams: 'Close those that you no longer read, or take webhooks.',
};
const WHAT: Readonly<Record<Kind, string>> = { requests: 'requests', streams: 'streams of events and waits for a job' };

const tooMany = (kind: Kind, limit: number): Problem =>
  new Problem(
    'too_many_open_requests',
    `This tenant has ${limit} ${WHAT[kind]} open, which is as many as it may. Nothing was carried out. ${ADVICE[kind]}`,
    { headers: { 'Retry-After': '2' } },
  );

export function createOpenRequests(limits: OpenLimits = OPEN_LIMITS): OpenRequests {
  const open: Readonly<Record<Kind, Map<string, number>>> = { requests: new Map(), streams: new Map() };
  const slots = new WeakMap<ServerResponse, { tenant: string; kind: Kind }>();

  function count(kind: Kind, tenant: string, change: 1 | -1): void {
    const now = (open[kind].get(tenant) ?? 0) + change;
    if (now > limits[kind]) throw tooMany(kind, limits[kind]);
    if (now === 0) open[kind].delete(tenant);
    else open[kind].set(tenant, now);
  }

  return {
    enter(tenant, response) {
      // Counted before, or over: nothing would take it off again.
      if (slots.has(response) || response.closed || response.destroyed) return;
      count('requests', tenant, 1);
      const slot = { tenant, kind: 'requests' as Kind };
      slots.set(response, slot);
      response.once('close', () => count(slot.kind, tenant, -1));
    },
    lasts(response) {
      const slot = slots.get(response);
      if (slot === undefined || slot.kind === 'streams' || response.closed || response.destroyed) return;
      count('streams', slot.tenant, 1);
      count('requests', slot.tenant, -1);
      slot.kind = 'streams';
    },
  };
}
