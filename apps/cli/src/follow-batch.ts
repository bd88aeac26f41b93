import { type Batch, hasEnded, readBatch } from './batches.ts';
import type { Context } from './context.ts';
import { count } from './output/format.ts';
import { patiently } from './wait.ts';

export interface FollowBatch {
  timeout?: number | undefined;
  /** The batch had ended in this round, and is about to begin another. */
  afterRound?: number;
}

/** How long an ended batch is given to begin its next round: the service does that behind its answer. */
const REOPENS_IN_MS = 60_000;

/** Looks at a batch until it has ended, with a bar on stderr, and answers it as it is then. */
export async function followBatch(context: Context, id: string, o: FollowBatch): Promise<Batch> {
  const { host, api, progress } = context;
  const goOn = `The batch goes on. Follow it: pnpm jobs batch get ${id} --wait`;
  const until = host.now() + REOPENS_IN_MS;
  return await patiently(host, { timeoutS: o.timeout, goOn }, async (signal) => {
    for (;;) {
      const { batch, againInMs } = await readBatch(api, id, signal);
      const reopens = batch.round === o.afterRound && host.now() < until;
      if (hasEnded(batch) && !reopens) return batch;
      if (!reopens) progress.update(countsText(batch.counts), { done: doneOf(batch.counts), total: batch.counts.total });
      await host.sleep(againInMs, signal);
    }
  });
}

type Counts = Batch['counts'];

const doneOf = ({ succeeded, failed, canceled, expired }: Counts): number => succeeded + failed + canceled + expired;

const SHOWN = ['succeeded', 'failed', 'canceled', 'expired', 'running', 'queued'] as const;

/** `12 of 50: 10 succeeded, 2 failed, 8 running, 30 queued` */
export function countsText(counts: Counts): string {
  const parts = SHOWN.flatMap((status) => (counts[status] === 0 ? [] : [`${count(counts[status])} ${status}`]));
  return `${count(doneOf(counts))} of ${count(counts.total)}: ${parts.join(', ')}`;
}
