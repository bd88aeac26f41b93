export { type GuardedOptions, guardedClient } from './client.ts';
export { HEAD, type WireLimit, WireLimitError, type WireLimits } from './limits.ts';
