import { guardedClient, type WireLimits } from '@grsai-jobs/grsai/wire-guard';
import { Pool } from 'undici';

/**
 * Makes the pools of an Agent, one for each origin. undici forgets a pool when its last connection has closed, but not after
 * a request that was aborted: that one still counts as pending while the connection closes (nodejs/undici#5845). Callers name as
 * many origins as they like, at 22 KiB each (*measured*), so there the agent is closed once more, when the request is gone.
 * @param limits of whatever is asked without limits of its own
 */
export function poolsWithin(limits: WireLimits): (origin: string | URL, options: Pool.Options) => Pool {
  const factory = guardedClient(limits);
  return (origin, options) => watched(new Pool(origin, { ...options, factory }));
}

function watched(pool: Pool): Pool {
  pool.on('disconnect', (...event) => {
    if (pool.stats.pending === 0) return;
    setImmediate(() => {
      const { connected, size } = pool.stats;
      if (connected === 0 && size === 0) pool.emit('disconnect', ...event);
    });
  });
  return pool;
}
