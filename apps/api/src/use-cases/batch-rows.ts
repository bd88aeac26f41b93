import { type Batches, inGroups } from '@grsai-jobs/job-store';
import { type BatchRecord, isTerminal, type JobRecord, type TerminalStatus } from '@grsai-jobs/jobs';

const HEADS_AT_ONCE = 500;
/** A record can be large: its input, and a completion of 16 KiB. */
const RECORDS_AT_ONCE = 50;

/**
 * The ended jobs of a batch by line, in small groups. A job that ends behind the cursor is not among
 * them; one that was reopened meanwhile is left out.
 */
export async function* batchRows(
  batches: Pick<Batches, 'jobIds' | 'heads' | 'records' | 'positionBehind'>,
  batch: Pick<BatchRecord, 'id' | 'passed_over'>,
  o: { afterLine: number; status: readonly TerminalStatus[] },
): AsyncGenerator<JobRecord[]> {
  const wanted = ({ status, line }: Pick<JobRecord, 'status' | 'line'>): boolean =>
    isTerminal(status) && o.status.includes(status) && (line ?? 0) > o.afterLine;
  for (let from = batches.positionBehind(batch, o.afterLine); ; from += HEADS_AT_ONCE) {
    const ids = await batches.jobIds(batch.id, from, HEADS_AT_ONCE);
    const ended = (await batches.heads(ids)).filter(wanted);
    for (const group of inGroups(ended, RECORDS_AT_ONCE)) {
      const records = await batches.records(group.map(({ id }) => id));
      yield records.filter(wanted);
    }
    if (ids.length < HEADS_AT_ONCE) return;
  }
}
