import type { ServerResponse } from 'node:http';
import { Problem } from './problem.ts';

/** What the body of one open request may take of the budget; given back by itself when the request is over. */
interface BodyLease {
  /** From now on at least so many bytes in all. @throws Problem 429 for what is beyond the tenant's share, 503 beyond the budget. */
  hold(bytes: number): void;
}

export interface BodyBudget {
  lease(tenant: string, response: ServerResponse): BodyLease;
  /** Bytes that are held now. */
  held(): number;
}

/** A tenant has one of so many shares of the budget. */
const SHARES = 4;
const RETRY_AFTER_S = '2';

const tooManyBytes = (share: number): Problem =>
  new Problem(
    'too_many_bytes_in_flight',
    `The bodies of this tenant's open requests are limited to ${share} bytes together, and nothing of this one was accepted. Send it again when others have been answered; send large images as URLs.`,
    { headers: { 'Retry-After': RETRY_AFTER_S } },
  );

const allTaken = (): Problem =>
  new Problem(
    'unavailable',
    'The bodies of all open requests are as many bytes as this process holds. Nothing was accepted; send the request again.',
    { headers: { 'Retry-After': RETRY_AFTER_S } },
  );

/**
 * Counts the bytes of request bodies, unpacked, that one process holds at a time. A tenant has a quarter of them, and always room
 * for one body of `bodyLimit`, however small the budget is.
 */
export function createBodyBudget(o: { bytes: number; bodyLimit: number }): BodyBudget {
  const share = Math.max(Math.floor(o.bytes / SHARES), o.bodyLimit);
  const tenants = new Map<string, number>();
  const total = Math.max(o.bytes, share);
  let all = 0;

  function add(tenant: string, bytes: number): void {
    const own = (tenants.get(tenant) ?? 0) + bytes;
    if (bytes > 0 && own > share) throw tooManyBytes(share);
    if (bytes > 0 && all + bytes > total) throw allTaken();
    all += bytes;
    if (own === 0) tenants.delete(tenant);
    else tenants.set(tenant, own);
  }

  return {
    held: () => all,
    lease(tenant, response) {
      let mine = 0;
      let over = response.closed || response.destroyed;
      response.once('close', () => {
        over = true;
        add(tenant, -mine);
        mine = 0;
      });
      return {
        hold(bytes) {
          // Nothing would give back what is held for somebody who has left.
          if (over) throw new Problem('bad_request', 'The connection broke before the end of the body. Nothing was accepted.');
          if (bytes <= mine) return;
          add(tenant, bytes - mine);
          mine = bytes;
        },
      };
    },
  };
}
