import type { BaseState, GrsaiApi, KeyState } from '@grsai-jobs/grsai';

/** A probe that takes longer says nothing. */
export const PROBE_LIMIT_MS = 5000;

/** Whether upstream takes our key; never rejects. Only a clear refusal counts: when the probe comes to nothing, the key is not to blame. */
export async function keyState(grsai: Pick<GrsaiApi, 'probeKey'>, signal: AbortSignal): Promise<KeyState> {
  return await grsai.probeKey({ signal }).catch(() => 'unknown');
}

/** Whether the API is at this base; never rejects. */
export async function baseState(grsai: Pick<GrsaiApi, 'probeBase'>, base: string, signal: AbortSignal): Promise<BaseState> {
  const away = { state: 'away' as const };
  return (await grsai.probeBase(base, { signal }).catch(() => away)).state;
}
