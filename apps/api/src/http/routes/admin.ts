import type { ReopenJob } from '@grsai-jobs/job-actions';
import type { JobStore } from '@grsai-jobs/job-store';
import type { SignLink } from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock, Logger } from '@grsai-jobs/runtime';
import type { Router } from 'express';
import { createBulkPreview } from '../../use-cases/bulk-preview.ts';
import type { NudgeOperations } from '../../use-cases/nudge-operations.ts';
import type { ResendDelivery } from '../../use-cases/resend-delivery.ts';
import { createAudited } from '../audited.ts';
import type { Auth } from '../auth.ts';
import type { BlankSecrets } from '../blank-secrets.ts';
import { adminAuditRoutes } from './admin-audit.ts';
import { adminBatchRoutes } from './admin-batches.ts';
import { adminBulkRoutes } from './admin-bulk.ts';
import { adminDeliveryRoutes } from './admin-deliveries.ts';
import { adminFailureRoutes } from './admin-failures.ts';
import { adminJobRoutes } from './admin-jobs.ts';
import { adminKeyRoutes } from './admin-keys.ts';
import { adminOverviewRoutes } from './admin-overview.ts';
import { adminPageRoutes } from './admin-page.ts';
import { adminQueueRoutes } from './admin-queues.ts';

/** All that operators have. */
export function adminRoutes(o: {
  auth: Auth;
  store: JobStore;
  producer: Producer;
  nudge: NudgeOperations;
  blank: BlankSecrets;
  reopen: ReopenJob;
  resend: ResendDelivery;
  sign: SignLink;
  clock: Clock;
  log: Logger;
}): Router[] {
  const audited = createAudited({ audit: o.store.audit, log: o.log });
  return [
    adminKeyRoutes({ ...o, apiKeys: o.store.apiKeys, audited }),
    adminJobRoutes({ ...o, audited }),
    adminBatchRoutes({ ...o, batches: o.store.batches }),
    adminDeliveryRoutes({ ...o, audited }),
    adminFailureRoutes({ auth: o.auth, failures: o.store.failures }),
    adminAuditRoutes({ auth: o.auth, audit: o.store.audit }),
    adminOverviewRoutes(o),
    adminQueueRoutes({ ...o, audited }),
    adminBulkRoutes({ ...o, audited, preview: createBulkPreview(o) }),
    adminPageRoutes(o),
  ];
}
