import type { Grsai, KeyState } from '@grsai-jobs/grsai';

/** A probe that takes longer tells nothing. */
export const PROBE_LIMIT_MS = 5000;

/** Whether upstream takes our key; never rejects. Only a clear refusal counts: when the probe comes to nothing, the key is not to blame. */
export async function keyState(grsai: Pick<Grsai, 'probeKey'>, stopping: AbortSignal): Promise<KeyState> {
  return await grsai
    .probeKey({ signal: AbortSignal.any([stopping, AbortSignal.timeout(PROBE_LIMIT_MS)]) })
    .catch(() => 'unknown');
}
