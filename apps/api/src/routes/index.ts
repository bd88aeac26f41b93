import type { DepsOf, Route } from '../http/route.ts';
import { listAudit } from './admin/audit.ts';
import { listAllBatches, readAnyBatch } from './admin/batches.ts';
import { abortBulkAction, createBulkAction, listBulkActions, readBulkAction, resumeBulkAction } from './admin/bulk-actions.ts';
import { listAllWebhookDeliveries, readAnyWebhookDelivery, resendAnyWebhookDelivery } from './admin/deliveries.ts';
import { listFailures } from './admin/failures.ts';
import { listAllJobs, readAnyJob, requeueJob } from './admin/jobs.ts';
import { createKey, deleteKey, listKeys } from './admin/keys.ts';
import { readOverview } from './admin/overview.ts';
import { changeQueue, listQueueEntries, listQueues } from './admin/queues.ts';
import { restored } from './admin/restored.ts';
import { decideSuspects, listSuspects } from './admin/suspects.ts';
import { changeTenant, readTenant } from './admin/tenants.ts';
import { cancelBatch, retryFailedJobs } from './batches/change.ts';
import { createBatch } from './batches/create.ts';
import { listBatches, readBatch, readBatchErrors, readBatchResults } from './batches/read.ts';
import { cancelJob, deleteJob, retryJob } from './jobs/change.ts';
import { createJob } from './jobs/create.ts';
import { watchJob } from './jobs/events.ts';
import { readJobImage } from './jobs/image.ts';
import { listJobs } from './jobs/list.ts';
import { readJob } from './jobs/read.ts';
import { streamJob } from './jobs/stream.ts';
import { listModels, readModel } from './models.ts';
import { live, metrics, ready } from './service.ts';
import { readAllUsage, readUsage } from './usage.ts';
import {
  listWebhookDeliveries,
  readWebhookDelivery,
  recoverWebhookEndpoint,
  resendWebhookDelivery,
} from './webhooks/deliveries.ts';
import { readWebhookSecret, rotateWebhookSecret } from './webhooks/secret.ts';

/** Every route of the API, in the order of the document. The router and openapi.json are both made from this list. */
const all = [
  ...[createJob, listJobs, readJob, deleteJob, cancelJob, retryJob, watchJob, streamJob, readJobImage],
  ...[createBatch, listBatches, readBatch, readBatchResults, readBatchErrors, cancelBatch, retryFailedJobs],
  ...[listModels, readModel, readUsage],
  ...[readWebhookSecret, rotateWebhookSecret],
  ...[listWebhookDeliveries, readWebhookDelivery, resendWebhookDelivery, recoverWebhookEndpoint],
  ...[readOverview, listFailures, listAllJobs, readAnyJob, requeueJob],
  ...[listQueues, changeQueue, listQueueEntries, createKey, listKeys, deleteKey],
  ...[readTenant, changeTenant, readAllUsage, listSuspects, decideSuspects, restored],
  ...[createBulkAction, listBulkActions, readBulkAction, abortBulkAction, resumeBulkAction, listAudit],
  ...[listAllWebhookDeliveries, readAnyWebhookDelivery, resendAnyWebhookDelivery, listAllBatches, readAnyBatch],
  ...[live, ready, metrics],
] as const;

/** What the routes need together; each of them sees only what it names itself. */
export type RouteDeps = DepsOf<typeof all>;

export const ROUTES: readonly Route<RouteDeps>[] = all;
