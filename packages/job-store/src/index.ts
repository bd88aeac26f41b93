export { type ApiKeys, type Principal, SCOPES, type Scope } from './api-keys.ts';
export type { Deliveries, Settlement } from './deliveries.ts';
export type { RedisFacts, RedisHealth } from './health.ts';
export type { Accepted, AccountLimits, Begun, Idempotency, JobMoves, Moved } from './job-moves.ts';
export type { JobReads } from './job-reads.ts';
export { createJobStore, type JobStore } from './job-store.ts';
export type { Pause, Pauses } from './pauses.ts';
export type { Sweeps } from './sweeps.ts';
export type { Tenants } from './tenants.ts';
