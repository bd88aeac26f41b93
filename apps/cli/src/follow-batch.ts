import type { Batch } from '@grsai-jobs/client';
import { OUTAGE_MS } from './client.ts';
import type { Context } from './context.ts';
import { count } from './output/format.ts';
import { patiently } from './wait.ts';

/** Waits for the end of a batch, with a bar on stderr, and answers it as it is then. */
export async function followBatch({ host, client, progress }: Context, id: string, timeoutS: number | undefined): Promise<Batch> {
  const goOn = `The batch goes on. Follow it: ${host.program} batch get ${id} --wait`;
  const onProgress = ({ counts }: Batch): void =>
    progress.update(countsText(counts), { done: doneOf(counts), total: counts.total });
  return await patiently(
    host,
    { timeoutS, goOn },
    async (signal) => await client.batches.wait(id, { signal, outageMs: OUTAGE_MS, onProgress }),
  );
}

type Counts = Batch['counts'];

const doneOf = ({ succeeded, failed, canceled, expired }: Counts): number => succeeded + failed + canceled + expired;

const SHOWN = ['succeeded', 'failed', 'canceled', 'expired', 'running', 'queued'] as const;

/** `12 of 50: 10 succeeded, 2 failed, 8 running, 30 queued` */
export function countsText(counts: Counts): string {
  const parts = SHOWN.flatMap((status) => (counts[status] === 0 ? [] : [`${count(counts[status])} ${status}`]));
  return `${count(doneOf(counts))} of ${count(counts.total)}: ${parts.join(', ')}`;
}
