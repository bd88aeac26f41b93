import type { AccountLimits, JobStore } from '@grsai-jobs/job-store';
import { publishLetIn } from '../runner/publish.ts';

export const WAITING_ROOMS_EVERY_MS = 1000;

type Deps = Parameters<typeof publishLetIn>[0] & { store: Pick<JobStore, 'rooms'>; limits: () => AccountLimits };

/**
 * Lets jobs out of the rooms of tenants where nothing else does: permits were lost in a crash, fewer tenants ask than before, or a limit was
 * raised. Safe in several workers at once.
 */
export const createWaitingRooms =
  (d: Deps): (() => Promise<void>) =>
  async () => {
    for (const queue of ['call', 'submit'] as const) await publishLetIn(d, await d.store.rooms.letIn(queue, d.limits()));
  };
