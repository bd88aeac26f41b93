import type { Readable } from 'node:stream';
import type { JobRecord } from '@grsai-jobs/jobs';
import { type ObjectStore, ObjectStoreError } from '@grsai-jobs/object-store';
import type { Logger, Timers } from '@grsai-jobs/runtime';

/** An input in the object store that is being read. */
export interface OpenInput {
  /** Its JSON text. */
  text: Readable;
  bytes: number;
  /** It is read, or nobody wants it any more. */
  close(): void;
}

/** `null`: it cannot be read now, or is gone; the job can be shown without it. */
export type OpenJobInput = (job: Pick<JobRecord, 'id' | 'tenant' | 'doc'>) => Promise<OpenInput | null>;

/** Slow readers hold connections to the object store, which requests that bring inputs need too. */
const OPEN = { perTenant: 4, inAll: 32 };
const TO_FIRST_BYTE_MS = 5000;
const IN_ALL_MS = 60_000;

/** Reads large inputs for callers who look at their jobs, a few at once. */
export function createOpenInput(o: {
  objects: Pick<ObjectStore, 'get'>;
  log: Logger;
  timers: Pick<Timers, 'after' | 'timeout'>;
}): OpenJobInput {
  const open = new Map<string, number>();
  let inAll = 0;
  const change = (tenant: string, by: 1 | -1) => {
    const count = (open.get(tenant) ?? 0) + by;
    inAll += by;
    if (count === 0) open.delete(tenant);
    else open.set(tenant, count);
  };

  return async ({ id, tenant, doc }) => {
    const stored = doc.stored_input;
    if (stored === undefined || (open.get(tenant) ?? 0) >= OPEN.perTenant || inAll >= OPEN.inAll) return null;
    change(tenant, 1);
    try {
      const { body } = await o.objects.get(stored.$object, { signal: o.timers.timeout(TO_FIRST_BYTE_MS) });
      const endLimit = o.timers.after(IN_ALL_MS, () => body.destroy(new ObjectStoreError('aborted', 'not read in time')));
      body.once('close', () => {
        endLimit();
        change(tenant, -1);
      });
      return { text: body, bytes: stored.bytes, close: () => void body.destroy() };
    } catch (err) {
      change(tenant, -1);
      o.log.warn({ event: 'job.input_not_read', err, job_id: id }, 'a job is shown without its input');
      return null;
    }
  };
}
