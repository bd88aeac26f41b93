import { type Principal, RATE_WINDOW_S, type RateCount, type RateLimit } from '@grsai-jobs/job-store';
import type { Request, Response } from 'express';
import { Problem } from './problem.ts';

/** A Redis that does not answer holds a request back no longer than this; the route itself then says what is wrong. */
const MAX_WAIT_MS = 250;

/** What callers use; operators work with `/admin/v1`, and health is asked without a key. */
const LIMITED = /^\/v1\//i;

const seconds = (ms: number): number => Math.ceil(ms / 1000);

/** The fields of draft-ietf-httpapi-ratelimit-headers-10: quota and window, what remains and seconds to the next window. */
const rateLimitFields = (perMinute: number, count: RateCount): Record<string, string> => ({
  'RateLimit-Policy': `"default";q=${perMinute};w=${RATE_WINDOW_S}`,
  RateLimit: `"default";r=${count.remaining};t=${seconds(count.resetMs)}`,
});

/** Says in each answer what is left of the minute of this API key, and refuses what is beyond it. What cannot be counted passes. */
export function limitRequests(o: { perMinute: number; count: RateLimit; onUncounted: (error: Error) => void }) {
  async function counted(keyId: string): Promise<RateCount | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not counted within ${MAX_WAIT_MS} ms`)), MAX_WAIT_MS);
    });
    try {
      return await Promise.race([o.count(keyId), late]);
    } catch (error) {
      o.onUncounted(error instanceof Error ? error : new Error(String(error)));
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  return async (principal: Principal, request: Request, response: Response): Promise<void> => {
    if (!LIMITED.test(request.path)) return;
    const count = await counted(principal.key_id);
    if (count === null) return;
    response.set(rateLimitFields(o.perMinute, count));
    if (count.allowed) return;
    const wait = Math.max(1, seconds(count.resetMs));
    throw new Problem(
      'rate_limited',
      `This API key has used its ${o.perMinute} requests of this minute, and this one was not carried out. Send it again in ${wait} s; instead of asking for a job again and again, take a webhook or /v1/jobs/{id}/events.`,
      { headers: { 'Retry-After': String(wait) } },
    );
  };
}
