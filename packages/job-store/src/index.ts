export type { Accepted, Idempotency } from './accept.ts';
export { type ApiKeys, type KnownKey, type Principal, SCOPES, type Scope } from './api-keys.ts';
export { AUDIT_OUTCOMES, type Audit, type AuditEntry, type AuditFilter, type AuditLine, type AuditOutcome } from './audit.ts';
export type { LineError, NewLine } from './batch-intake.ts';
export type { LineHead } from './batch-reads.ts';
export type { Revealed } from './batch-rounds.ts';
export { STRIKE_WORK, strikeWork } from './batch-strike.ts';
export type { Batches } from './batches.ts';
export type { AccountLimits, Begun } from './begin.ts';
export { type BrakedEntry, type Brakes, WAKE_WORK } from './brakes.ts';
export {
  BULK_ACTIONS,
  BULK_WORK,
  type BulkAction,
  type BulkActions,
  type BulkOrder,
  type BulkPlace,
  type BulkStatus,
  leftOf,
  sumOf,
} from './bulk-actions.ts';
export type { CancelSignals } from './cancel-signals.ts';
export type { Claimed, Claims } from './claims.ts';
export type { Deliveries, HeldTry, OpenAttempt, OpenTry, Settled, Settlement, Told, TryResult } from './deliveries.ts';
export type { DeliveryFilter, DeliveryList, DeliveryPage } from './delivery-list.ts';
export {
  type EndpointRef,
  type Endpoints,
  endpointId,
  endpointName,
  endpointNameOf,
  endpointRef,
  readEndpointName,
} from './endpoints.ts';
export type { Erase } from './erase.ts';
export { type EventFeed, type FeedEvent, startEventFeed, type Watcher } from './event-feed.ts';
export type { FailureFilter, FailureGroup, FailurePage, Failures } from './failures.ts';
export type { RedisFacts, RedisHealth } from './health.ts';
export { inGroups } from './in-groups.ts';
export type { InputNote, InputNotes } from './input-notes.ts';
export type { JobFilter, JobList, JobPage } from './job-list.ts';
export type { EndOfRun, JobMoves } from './job-moves.ts';
export type { JobHead, JobReads } from './job-reads.ts';
export { createJobStore, type JobStore } from './job-store.ts';
export { type MemoryWatch, watchMemory } from './memory-watch.ts';
export type { ListPlace } from './newest-first.ts';
export type { Overview, Rates, Standing } from './overview.ts';
export { type OwedEntry, owedEntry } from './owed.ts';
export type { Paces } from './paces.ts';
export type { Credits, Pause, Pauses } from './pauses.ts';
export type { QueueChange, QueueSettings } from './queue-settings.ts';
export { RATE_WINDOW_S, type RateCount, type RateLimit } from './rate-limits.ts';
export { RECOVER_WORK, type RecoverOrder, recoverWork } from './recovery.ts';
export type { FirstAttempt, Moved, Placed } from './run-move.ts';
export { type Channel, hearSignals, type Listener } from './signals.ts';
export type { Sweeps } from './sweeps.ts';
export type { Tenants } from './tenants.ts';
export { type Allowance, QUOTAS, type Quota, type Refused, type TenantUse, type Usage } from './usage.ts';
export { ANNOUNCE_EVERY_MS, type SeenWorker, type WorkerInfo, type Workers } from './workers.ts';
export { type Work, type Works, workId } from './works.ts';
