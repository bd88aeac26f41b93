export { type Backoff, fullJitter } from './backoff.ts';
export { type Clock, systemClock } from './clock.ts';
export { byteSize, ConfigError, type Env, flag, integer, list, readConfig } from './config.ts';
export { type HealthAnswer, type HealthRoute, startHealthServer } from './health-server.ts';
export { type Service, stopInOrder, stopOnSignals } from './lifecycle.ts';
export { createLogger, type Logger, type LoggerOptions } from './logger.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { throttledLog } from './throttled-log.ts';
export { COMMON_VARIABLES, REDIS_VARIABLES, S3_VARIABLES } from './variables.ts';
