import type { JobStore, MemoryWatch } from '@grsai-jobs/job-store';
import type { Producer } from '@grsai-jobs/queue';
import type { Backoff, Clock, Logger } from '@grsai-jobs/runtime';
import type { Shutdown } from '../runner/until-taken.ts';
import type { Deliveries } from '../webhooks/deliveries.ts';
import type { StageMetrics } from './metrics.ts';

/** What periodic tasks and operations work with. */
export interface Kit {
  store: JobStore;
  producer: Producer;
  clock: Clock;
  log: Logger;
  metrics: StageMetrics;
  backoff: Backoff;
  shutdown: Shutdown;
  memory: Pick<MemoryWatch, 'tight' | 'critical'>;
  /** Room for the first attempt of a webhook in the process that ends its job. */
  deliveries: Pick<Deliveries, 'reserve'>;
}
