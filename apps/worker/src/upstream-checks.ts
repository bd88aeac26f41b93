import type { BaseFacts, GrsaiApi } from '@grsai-jobs/grsai';
import { type Check, type Finding, OK } from '@grsai-jobs/runtime';

/**
 * What the answers of all bases mean, in their order. The first that is there takes all calls, so when that one is no Grsai API no
 * job can succeed; another one would be called while the first is away.
 */
export function judgeBases(bases: readonly BaseFacts[]): Finding {
  const which = (index: number) => (bases.length === 1 ? 'the address' : `address ${index + 1} of ${bases.length}`);
  const used = bases.findIndex(({ state }) => state !== 'away');
  if (used === -1) {
    const seen = bases.map((base) => base.seen).join(', ');
    return { state: 'warn', reason: `GRSAI_BASE_URLS: the Grsai API cannot be reached (${seen}); calls wait until it can` };
  }
  const wrong = bases.findIndex(({ state }) => state === 'wrong');
  if (wrong === -1) return OK;
  const reason = `GRSAI_BASE_URLS: ${which(wrong)} is not that of a Grsai API (${bases[wrong]?.seen}): is the host right, and is nothing behind it?`;
  return { state: wrong === used ? 'failing' : 'warn', reason };
}

/** A key that upstream refuses pauses the queues with the first job; who watches the start wants to know before. */
async function lookAtKey(grsai: GrsaiApi, signal: AbortSignal): Promise<Finding> {
  // Credits that can be spent prove the key. Of none it does not say whether it is taken: an unlimited one has none as well.
  const credits = await grsai.account.credits({ signal }).catch(() => 0);
  if (credits > 0) return OK;
  const state = await grsai.probeKey({ signal });
  if (state === 'refused')
    return { state: 'warn', reason: 'GRSAI_API_KEY: upstream refuses this key; correct it. Until then jobs wait' };
  return state === 'valid' ? OK : { state: 'unknown', reason: 'upstream does not say whether it takes GRSAI_API_KEY' };
}

/** What the worker looks at beside its stores. Nothing here costs credits. */
export const upstreamChecks = (grsai: GrsaiApi, stopping: AbortSignal): readonly Check[] => [
  {
    name: 'upstream',
    everyMs: 60_000,
    againMs: 15_000,
    look: async () => judgeBases(await Promise.all(grsai.baseUrls.map((base) => grsai.probeBase(base, { signal: stopping })))),
  },
  { name: 'upstream_key', everyMs: 10 * 60_000, againMs: 60_000, look: () => lookAtKey(grsai, stopping) },
];
