import type { JobStore } from '@grsai-jobs/job-store';
import type { ObjectStore } from '@grsai-jobs/object-store';
import type { Logger, SyncedClock } from '@grsai-jobs/runtime';
import { eachOf } from './each.ts';

export const EXPIRED_FILES_EVERY_MS = 10 * 60_000;
const AT_ONCE = 500;
/** In an object store that is silent each of them takes half a minute. */
const RUN_MS = 60_000;

interface Deps {
  store: Pick<JobStore, 'files'>;
  objects: Pick<ObjectStore, 'delete'>;
  clock: Pick<SyncedClock, 'now' | 'trouble'>;
  log: Logger;
  shutdown: { readonly stopping: AbortSignal };
}

/** Erases files whose time is over: first the object, then what is known of it. Nothing while the clock of this machine and that of Redis differ. */
export function createExpiredFiles(d: Deps): () => Promise<void> {
  const { files } = d.store;
  return async () => {
    const erase = async (id: string) => {
      if (d.clock.trouble() !== undefined) return;
      const file = await files.read(id);
      if (file !== null) await d.objects.delete([file.key]);
      await files.erase(file ?? { id, tenant: '' });
      d.log.info({ event: 'file.expired', file_id: id, tenant: file?.tenant }, 'a file was erased');
    };
    await eachOf(d, await files.expiredAt(d.clock.now(), AT_ONCE), erase, { forMs: RUN_MS });
  };
}
