import type { JobStore, StoredFile } from '@grsai-jobs/job-store';
import { type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import type { Logger, SyncedClock } from '@grsai-jobs/runtime';
import { eachOf } from './each.ts';
import { inRounds } from './rounds.ts';

export const EXPIRED_FILES_EVERY_MS = 10 * 60_000;
const AT_ONCE = 500;
/** In an object store that is silent each of them takes half a minute. */
const ROUND_MS = 60_000;

interface Deps {
  store: Pick<JobStore, 'files'>;
  objects: Pick<ObjectStore, 'delete'>;
  clock: Pick<SyncedClock, 'now' | 'trouble'>;
  log: Logger;
  shutdown: { readonly stopping: AbortSignal };
}

/**
 * Erases files whose time is over: first the object, then what is known of it. Where the credentials may not delete it is left to the rule of
 * the bucket. Nothing while the clock of this machine and that of Redis differ.
 */
export function createExpiredFiles(d: Deps): () => Promise<void> {
  const { files } = d.store;
  async function deleteObject({ id, key }: StoredFile): Promise<void> {
    try {
      await d.objects.delete([key]);
    } catch (err) {
      if (!(err instanceof ObjectStoreError && err.code === 'denied')) throw err;
      d.log.warn({ event: 'file.orphaned', err, file_id: id }, 'the credentials may not delete; an old file stays in S3');
    }
  }
  return inRounds(d, EXPIRED_FILES_EVERY_MS, async () => {
    let erased = 0;
    const erase = async (id: string) => {
      if (d.clock.trouble() !== undefined) return;
      const file = await files.read(id);
      if (file !== null) await deleteObject(file);
      await files.erase(file ?? { id, tenant: '' });
      erased += 1;
      d.log.info({ event: 'file.expired', file_id: id, tenant: file?.tenant }, 'a file was erased');
    };
    const expired = await files.expiredAt(d.clock.now(), AT_ONCE);
    await eachOf(d, expired, erase, { forMs: ROUND_MS });
    return expired.length === AT_ONCE && erased > 0;
  });
}
