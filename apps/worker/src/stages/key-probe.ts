import type { BaseState, Grsai, KeyState } from '@grsai-jobs/grsai';

/** A probe that takes longer tells nothing. */
export const PROBE_LIMIT_MS = 5000;

/** Whether upstream takes our key; never rejects. Only a clear refusal counts: when the probe comes to nothing, the key is not to blame. */
export async function keyState(grsai: Pick<Grsai, 'probeKey'>, stopping: AbortSignal): Promise<KeyState> {
  return await grsai
    .probeKey({ signal: AbortSignal.any([stopping, AbortSignal.timeout(PROBE_LIMIT_MS)]) })
    .catch(() => 'unknown');
}

/** Whether the API is at this base; never rejects. */
export async function baseState(grsai: Pick<Grsai, 'probeBase'>, base: string, stopping: AbortSignal): Promise<BaseState> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(PROBE_LIMIT_MS)]);
  const away = { state: 'away' as const };
  return (await grsai.probeBase(base, { signal }).catch(() => away)).state;
}
