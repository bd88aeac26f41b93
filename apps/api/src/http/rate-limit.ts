import { type Principal, RATE_WINDOW_S, type RateCount, type RateLimit } from '@grsai-jobs/job-store';
import type { Request, Response } from 'express';
import { Problem } from './problem.ts';

/** A Redis that does not answer holds a request back no longer than this; the route itself then says what is wrong. */
const MAX_WAIT_MS = 250;

/** What callers use; operators work with `/admin/v1`, and health is asked without a key. */
const LIMITED = /^\/(?:openai\/)?v1\//i;
const OPENAI = /^\/openai\//i;

const seconds = (ms: number): number => Math.ceil(ms / 1000);

/** One of the limits that a request counts for. */
interface Counted extends RateCount {
  policy: 'default' | 'tenant';
  perMinute: number;
}

/** The fields of draft-ietf-httpapi-ratelimit-headers-10: quota and window, what remains and seconds to the next window. */
const rateLimitFields = (counts: readonly Counted[]): Record<string, string> => ({
  'RateLimit-Policy': counts.map(({ policy, perMinute }) => `"${policy}";q=${perMinute};w=${RATE_WINDOW_S}`).join(', '),
  RateLimit: counts.map(({ policy, remaining, resetMs }) => `"${policy}";r=${remaining};t=${seconds(resetMs)}`).join(', '),
});

/** The same as OpenAI writes it, of the limit that has the least left. */
function openAiFields(counts: readonly Counted[]): Record<string, string> {
  const [least] = [...counts].sort((a, b) => a.remaining - b.remaining);
  if (least === undefined) return {};
  return {
    'x-ratelimit-limit-requests': String(least.perMinute),
    'x-ratelimit-remaining-requests': String(least.remaining),
    'x-ratelimit-reset-requests': `${seconds(least.resetMs)}s`,
  };
}

const WHO: Readonly<Record<Counted['policy'], string>> = { default: 'This API key', tenant: 'This tenant' };

/**
 * Says in each answer what is left of the minute of this API key, and of its tenant where that has a limit, and refuses what is beyond
 * it. What cannot be counted passes.
 */
export function limitRequests(o: {
  /** For each API key; 0 is no limit. */
  perKey: number;
  /** For all keys of a tenant; 0 is no limit. */
  perTenant: (tenant: string) => Promise<number>;
  /** The tenant is known to have no limit, so that nothing is asked and no time is kept. */
  isUnlimited: (tenant: string) => boolean;
  count: RateLimit;
  onUncounted: (error: Error) => void;
}) {
  /** The first limit that is used up is the last one that is counted. */
  async function countAll({ key_id, tenant }: Principal): Promise<Counted[]> {
    const limits = [
      { policy: 'default', id: key_id, perMinute: o.perKey },
      { policy: 'tenant', id: `tenant:${tenant}`, perMinute: await o.perTenant(tenant) },
    ] as const;
    const counts: Counted[] = [];
    for (const { policy, id, perMinute } of limits) {
      if (perMinute === 0) continue;
      const count = { policy, perMinute, ...(await o.count(id, perMinute)) };
      counts.push(count);
      if (!count.allowed) break;
    }
    return counts;
  }

  async function counted(principal: Principal): Promise<Counted[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not counted within ${MAX_WAIT_MS} ms`)), MAX_WAIT_MS);
    });
    try {
      return await Promise.race([countAll(principal), late]);
    } catch (error) {
      o.onUncounted(error instanceof Error ? error : new Error(String(error)));
      return [];
    } finally {
      clearTimeout(timer);
    }
  }

  return async (principal: Principal, request: Request, response: Response): Promise<void> => {
    if (!LIMITED.test(request.path) || (o.perKey === 0 && o.isUnlimited(principal.tenant))) return;
    const counts = await counted(principal);
    const last = counts.at(-1);
    if (last === undefined) return;
    response.set(rateLimitFields(counts));
    if (OPENAI.test(request.path)) response.set(openAiFields(counts));
    if (last.allowed) return;
    const wait = Math.max(1, seconds(last.resetMs));
    throw new Problem(
      'rate_limited',
      `${WHO[last.policy]} has used its ${last.perMinute} requests of this minute, and this one was not carried out. Send it again in ${wait} s; instead of asking for a job again and again, take a webhook or /v1/jobs/{id}/events.`,
      { headers: { 'Retry-After': String(wait) } },
    );
  };
}
