import type { Grsai } from '@grsai-jobs/grsai';

const PROBE_LIMIT_MS = 5000;

/** Only a clear refusal counts: when the probe itself comes to nothing, the key is not to blame. */
export async function keyIsTaken(grsai: Pick<Grsai, 'probeKey'>, stopping: AbortSignal): Promise<boolean> {
  const state = await grsai
    .probeKey({ signal: AbortSignal.any([stopping, AbortSignal.timeout(PROBE_LIMIT_MS)]) })
    .catch(() => 'unknown');
  return state !== 'refused';
}
