import { bulkVerdict, nextMeant } from '@grsai-jobs/job-actions';
import type { BulkCursor, BulkOrder, JobStore } from '@grsai-jobs/job-store';
import { type JobRecord, type Signature, signatureOf } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';

/** What an order would do, by what would happen and by what the jobs failed of. */
export interface BulkPreview {
  matched: number;
  /** By what would be done. */
  would: Record<string, number>;
  /** Left alone, by why. */
  skipped: Record<string, number>;
  signatures: (Pick<Signature, 'id' | 'code' | 'stage' | 'text'> & { count: number })[];
  /** `false`: there are more jobs than were looked at. */
  complete: boolean;
}

const AT_ONCE = 200;
const LOOK_AT = 20_000;
const LOOK_MS = 15_000;

const more = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1;
};

/** Looks at what an order means and changes nothing, by the rule that the worker acts by. */
export function createBulkPreview(o: { store: Pick<JobStore, 'list' | 'jobs'>; clock: Clock }) {
  return async (order: BulkOrder): Promise<BulkPreview> => {
    const preview: BulkPreview = { matched: 0, would: {}, skipped: {}, signatures: [], complete: true };
    const signatures = new Map<string, BulkPreview['signatures'][number]>();
    const look = (job: JobRecord | null): void => {
      preview.matched += 1;
      if (job === null) {
        more(preview.skipped, 'missing');
        return;
      }
      const verdict = bulkVerdict(job, order, o.clock.now());
      more('skip' in verdict ? preview.skipped : preview.would, 'skip' in verdict ? verdict.skip : verdict.act);
      if (job.error === null) return;
      const { id, code, stage, text } = signatureOf(job.error);
      const group = signatures.get(id) ?? { id, code, stage, text, count: 0 };
      group.count += 1;
      signatures.set(id, group);
    };

    const started = o.clock.now();
    let at: BulkCursor = null;
    do {
      const { meant, next } = await nextMeant(o.store.list, order, at, AT_ONCE);
      for await (const job of o.store.jobs.each(meant.map(({ id }) => id))) look(job);
      at = next;
      preview.complete = at === null;
    } while (at !== null && preview.matched < LOOK_AT && o.clock.now() - started < LOOK_MS);
    return { ...preview, signatures: [...signatures.values()].sort((a, b) => b.count - a.count).slice(0, 100) };
  };
}

export type PreviewBulk = ReturnType<typeof createBulkPreview>;
