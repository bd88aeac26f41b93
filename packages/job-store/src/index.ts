export type { Cursor } from '@grsai-jobs/redis';
export type { AnswerClaim, AnswerEnd, AnswerRequest, Answers } from './answer/answers.ts';
export type { Batches } from './batch/batches.ts';
export type { Claimed, Claims } from './batch/claims.ts';
export type { LineError, NewLine } from './batch/intake.ts';
export { LIST_OPERATION } from './batch/intake.ts';
export type { LineHead } from './batch/reads.ts';
export { REDACT_OPERATION, redactOperation } from './batch/redact.ts';
export type { RetryOrdered, RetryTold } from './batch/rounds.ts';
export { RETRY_OPERATION } from './batch/rounds.ts';
export type { Catalogue } from './catalogue/catalogue.ts';
export { type CatalogueWatch, watchCatalogue } from './catalogue/catalogue-watch.ts';
export { type EventFeed, type FeedEvent, startEventFeed, type Watcher } from './event/event-feed.ts';
export { type Channel, type Subscriber, type Subscription, subscribe } from './event/subscriber.ts';
export { FILE_BATCHES_KEPT, type FileBatch, type FileBatchError, type FileBatches } from './file/file-batches.ts';
export type { FileCreated, Files, IdPage, StoredFile } from './file/files.ts';
export type { CancelSignals } from './job/cancel-signals.ts';
export type { Created, Idempotency } from './job/create.ts';
export type { Erase } from './job/erase.ts';
export type { FailureFilter, FailureGroup, FailurePage, Failures } from './job/failures.ts';
export { inGroups } from './job/in-groups.ts';
export type { InputNote, InputNotes } from './job/input-notes.ts';
export type { JobFilter, JobList, JobPage } from './job/job-list.ts';
export type { JobHead, JobReads } from './job/job-reads.ts';
export type { Paces } from './job/paces.ts';
export type { CallToStart, StartedCall } from './job/start-call.ts';
export type { Sweeps } from './job/sweeps.ts';
export type { Commit, CommitOptions, Conflict, DeliveryStart, FirstAttempt, TransitionResult } from './job/transition.ts';
export { createJobStore, type JobStore, type Transitions } from './job-store.ts';
export { SCHEMA_VERSION, type Schema, type SchemaWatch, watchSchema } from './layout/schema.ts';
export {
  BULK_ACTIONS,
  BULK_OPERATION,
  type BulkAction,
  type BulkActions,
  type BulkCursor,
  type BulkOrder,
  type BulkStatus,
  leftOf,
  sumOf,
} from './operation/bulk-actions.ts';
export { type Operation, type Operations, operationId } from './operation/operations.ts';
export {
  AUDIT_OUTCOMES,
  type Audit,
  type AuditEntry,
  type AuditFilter,
  type AuditLine,
  type AuditOutcome,
} from './operator/audit.ts';
export { type BrakedEntry, type Brakes, WAKE_OPERATION } from './operator/brakes.ts';
export type { Overview, Rates, Standing } from './operator/overview.ts';
export type { Credits, Pause, Pauses } from './operator/pauses.ts';
export type { QueueChange, QueueSettings } from './operator/queue-settings.ts';
export { ANNOUNCE_EVERY_MS, type SeenWorker, type WorkerInfo, type Workers } from './operator/workers.ts';
export { type ClosedPrimary, PATIENCE_MS, type Recovered } from './recovery/recovery.ts';
export { LOOK_FOR_RESULTS } from './recovery/restored.ts';
export type { Suspect } from './recovery/suspects.ts';
export type { AccountLimits } from './room/account-limits.ts';
export type { Rooms } from './room/rooms.ts';
export type { Durability, RedisFacts, RedisHealth } from './server/health.ts';
export { type MemoryWatch, watchMemory } from './server/memory-watch.ts';
export { redisTime } from './server/redis-time.ts';
export { type Chunk, PieceDecoder, PieceEncoder, TEXT_FIELDS } from './stream/pieces.ts';
export { createStreamFeed, type StreamFeed, type StreamWatcher } from './stream/stream-feed.ts';
export { type Appended, MOST_STREAM_BYTES, type StreamLine, type Streams } from './stream/streams.ts';
export { type ApiKeys, type KnownKey, type Principal, SCOPES, type Scope } from './tenant/api-keys.ts';
export type { TenantLimitStore } from './tenant/limits.ts';
export { RATE_WINDOW_S, type RateCount, type RateLimit } from './tenant/rate-limits.ts';
export type { Spending } from './tenant/spending.ts';
export type { Tenants } from './tenant/tenants.ts';
export {
  type Allowance,
  type OverBudget,
  type OverQueue,
  type OverQuota,
  QUOTAS,
  type Quota,
  type Refused,
  type TenantUse,
  type Usage,
} from './tenant/usage.ts';
export type {
  AttemptLease,
  AttemptResult,
  Deliveries,
  DeliveryContext,
  OpenAttempt,
  Opened,
  Settled,
  Settlement,
} from './webhook/deliveries.ts';
export { type DeliveryEntry, endDelivery } from './webhook/delivery-entry.ts';
export type { DeliveryFilter, DeliveryList, DeliveryPage } from './webhook/delivery-list.ts';
export {
  type EndpointRef,
  type Endpoints,
  endpointId,
  endpointName,
  endpointNameOf,
  endpointRef,
  readEndpointName,
} from './webhook/endpoints.ts';
export { RECOVER_OPERATION, type RecoverOrder, recoverOperation } from './webhook/recovery.ts';
