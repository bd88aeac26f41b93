import type { RedisHealth } from './health.ts';

/**
 * From here on new work is refused (design §3), so that what is paid for keeps room: BullMQ's own scripts do not run on a
 * full Redis, and a paid task without an entry would wait for its repair.
 */
const SHED_AT = 0.85;
const LOOK_EVERY_MS = 1000;

export interface MemoryWatch {
  readonly name: string;
  /** Redis is nearly full, as of the last second. */
  tight(): boolean;
  stop(): Promise<void>;
}

/** Looks at Redis' memory once a second. While it cannot be read the last answer holds. */
export function watchMemory(health: Pick<RedisHealth, 'memoryUsed'>, onError: (error: Error) => void): MemoryWatch {
  let tight = false;
  const timer = setInterval(() => {
    health.memoryUsed().then((used) => {
      tight = used >= SHED_AT;
    }, onError);
  }, LOOK_EVERY_MS);
  return {
    name: 'memory watch',
    tight: () => tight,
    stop: async () => clearInterval(timer),
  };
}
