import type { JobRecord, Submitting, Transition } from '@grsai-jobs/jobs';
import { createRecentTexts, type Timers } from '@grsai-jobs/runtime';

/** A paid call of this process. */
export interface OwnCall {
  /** As its lease was taken. */
  readonly job: Submitting;
  /** What was committed as its end; `null`: nothing yet. */
  readonly brought: Transition | null;
}

/**
 * The paid calls that this process has in flight, and what came of those that have ended of late: what it can tell a primary that has
 * forgotten them.
 */
export interface Journal {
  begun(job: Submitting): void;
  /** Its end is on record: what it brought, or that nobody knows. */
  brought(job: Pick<JobRecord, 'id' | 'lease'>, transition: Transition): void;
  /** The call is over. One that was given back as never made is forgotten. */
  over(job: Submitting): void;
  calls(): readonly OwnCall[];
}

/** A replica that lags by more is none that anybody would make the primary. */
const KEEP_MS = 60_000;

/** Of a worker whose calls bring more in that time the oldest go first. */
const KEEP_BYTES = 32 * 1024 * 1024;

export function createJournal(timers: Pick<Timers, 'elapsed'>): Journal {
  /** By the token of the lease, as those that have ended. */
  const inFlight = new Map<string, OwnCall>();
  const ended = createRecentTexts({ keepMs: KEEP_MS, mostBytes: KEEP_BYTES, timers });

  return {
    begun(job) {
      inFlight.set(job.lease.token, { job, brought: null });
    },
    brought({ lease }, transition) {
      const own = lease && inFlight.get(lease.token);
      if (own) inFlight.set(lease.token, { ...own, brought: transition });
    },
    over({ lease: { token } }) {
      const own = inFlight.get(token);
      inFlight.delete(token);
      if (own?.brought) ended.keep(token, JSON.stringify(own));
    },
    calls: () => [...ended.all().map(([, text]) => JSON.parse(text) as OwnCall), ...inFlight.values()],
  };
}
