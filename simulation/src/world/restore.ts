import type { World } from './world.ts';

/** One restore of Redis from a backup in a life. */
export interface RestorePlan {
  /** When the backup is made, and when Redis is restored from it, in ms after the beginning. */
  readonly backupMs: number;
  readonly restoredMs: number;
}

/** Long enough for an API to be ready. */
const API_READY_MS = 100;

/**
 * Redis is lost with everything that has used it, and is what it was at the time of the backup. An operator says so to the first API, and
 * starts workers when that has answered.
 */
export function causeRestore(world: World, { backupMs, restoredMs }: RestorePlan): void {
  const { time, redis } = world;
  time.after(backupMs, () => {
    const backup = redis.snapshot();
    const at = Math.floor(time.now());
    world.story('operator', 'makes a backup');
    time.after(restoredMs - backupMs, () => {
      const workers = world.workers.length;
      for (const process of [...world.workers, ...world.apis]) process.kill();
      [world.workers, world.apis] = [[], []];
      const forgotten = world.failover(backup);
      world.network.away = false;
      world.story('operator', 'restores Redis from the backup', { forgotten });
      const api = world.startApi();
      const begin = () => {
        for (let n = 0; n < workers; n += 1) world.startWorker();
      };
      const order = () =>
        api.useCases.restored(at).then(
          (found) => {
            world.story('operator', 'has been told of the restore', { ...found });
            begin();
          },
          (error: unknown) => world.violation(`the restore was not taken: ${String(error)}`, 'operator'),
        );
      time.after(API_READY_MS, () => api.enter(() => void order()));
    });
  });
}
