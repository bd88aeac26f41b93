export { apiAddresses, apiAddressOr, listenHost, proxies } from './addresses.ts';
export { type Backoff, fullJitter } from './backoff.ts';
export { buildId } from './build-id.ts';
export { type Build, buildMetrics } from './build-info.ts';
export { type Check, type Checks, type Finding, OK, watchChecks } from './checks.ts';
export { type Clock, systemClock } from './clock.ts';
export { clockMetrics } from './clock-metrics.ts';
export { readConfig } from './config.ts';
export type { Env } from './environment.ts';
export { HEALTH_FRESH_MS, type HealthAnswer, type HealthRoute, startHealthServer } from './health-server.ts';
export {
  byteSize,
  bytesOrOff,
  choice,
  days,
  fieldNames,
  filePath,
  integer,
  integerOrAuto,
  integerOrOff,
  secret,
} from './kinds.ts';
export { type Service, stopInOrder } from './lifecycle.ts';
export { createLogger, type Logger } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { readyAnswer } from './readiness.ts';
export { createRecentTexts, type RecentTexts } from './recent-texts.ts';
export { type App, runApp } from './run-app.ts';
export { sharedLook } from './shared-look.ts';
export { createSliceQueue, type SliceQueue, type Slices, textInSlices } from './slice-queue.ts';
export { storeChecks } from './store-checks.ts';
export { CLOCKS_AGREE_MS, createSyncedClock, type SyncedClock } from './synced-clock.ts';
export { throttledLog } from './throttled-log.ts';
export { type EndTimer, systemTimers, type Timers } from './timers.ts';
export { COMMON_VARIABLES, ownServices, PORT_VARIABLES, REDIS_VARIABLES, S3_VARIABLES, s3Options } from './variables.ts';
export { VERSION } from './version.ts';
export { within } from './within.ts';
