import { defineScript, type Redis, type RunScript } from '@grsai-jobs/redis';
import type { Keys } from '../layout/keys.ts';
import type { Durability } from '../server/health.ts';

/** Workers that were heard within so long before the last that was heard are waited for. */
const ALIVE_MS = 15_000;
/** At least so long, for workers whose first word is forgotten too. */
const LEAST_MS = 1000;
/** And no longer, where it may have forgotten what a worker alone knows. Where it has not, nobody is waited for. */
export const PATIENCE_MS = { forgetful: 30_000, sure: 2000 } as const;

/** The start of a server is known to the second. */
const ROUNDED_MS = 1000;
/** No failover and no restart takes so long, and a backup is older. */
const BACKUP_AFTER_MS = 10 * 60_000;

const lookScript = defineScript({
  lua: new URL('./look.lua', import.meta.url),
  keys: ['primary', 'recovery', 'workers'],
  args: ['order'],
  whenFull: 'runs',
});

export interface ClosedPrimary {
  kind: 'closed';
  /** Who it is. */
  primary: string;
  sinceMs: number;
  /** Workers that have not told what they know. */
  missing: readonly string[];
  /** When the last worker was heard by the primary before, in ms since 1970. */
  seenAt: number;
  /** When one of those that are missing was; what it did not say is what matters. 0 where none is missing. */
  missedAt: number;
}

export type Recovered =
  | { kind: 'open' }
  /** By this very question. */
  | { kind: 'opened'; sinceMs: number }
  | ClosedPrimary;

export type Recovery = ReturnType<typeof createRecovery>;

/** What a primary that takes the place of another may have forgotten, and whether that has been told. Until then no paid call begins. */
export function createRecovery(redis: Redis, run: RunScript, keys: Keys, clock?: { now(): number }) {
  return {
    /**
     * How far it is.
     * @param o.knew whether who asks has known another primary.
     * @param o.worker who asks, if it is a worker, and the primary that it has told all that it knows.
     * @param o.giveUpMs opens it although workers are missing, when it has been closed for so long.
     */
    async look(o: { knew: boolean; worker?: { id: string; told: string | null }; giveUpMs?: number }): Promise<Recovered> {
      const order = {
        now: clock?.now(),
        knew: o.knew,
        me: o.worker?.id,
        told: o.worker?.told ?? undefined,
        alive_ms: ALIVE_MS,
        least_ms: LEAST_MS,
        give_up_ms: o.giveUpMs,
      };
      const [kind, ...rest] = (await run(
        lookScript,
        { primary: keys.primary, recovery: keys.recovery, workers: keys.workers },
        { order: JSON.stringify(order) },
      )) as (string | number)[];
      if (kind === 'open') return { kind };
      if (kind === 'opened') return { kind, sinceMs: Number(rest[0]) };
      const [primary, since, seenAt, missedAt, ...missing] = rest;
      return {
        kind: 'closed',
        primary: String(primary),
        sinceMs: Number(since),
        missing: missing.map(String),
        seenAt: Number(seenAt),
        missedAt: Number(missedAt),
      };
    },

    /**
     * Whether it may have forgotten what the one before had answered. It has not where a replica had to confirm all that counts, or where it is the
     * same server, started again over its append-only file after the last word of a worker (a crash of its machine is another matter: `appendfsync`).
     * But a last word of long ago says that all this may come from a backup.
     */
    async mayHaveForgotten(
      durability: Durability,
      { seenAt, missedAt }: Pick<ClosedPrimary, 'seenAt' | 'missedAt'>,
    ): Promise<boolean> {
      const [seconds] = await redis.time();
      if (Number(seconds) * 1000 - seenAt > BACKUP_AFTER_MS) return true;
      if (durability === 'replica') return false;
      const info = await redis.info();
      const startedAt = (Number(seconds) - Number(/^uptime_in_seconds:(\d+)/m.exec(info)?.[1] ?? 0)) * 1000;
      // Workers that live may have spoken to it before anybody looked, and its uptime counts whole seconds. A server that was a replica says whom it
      // followed; one that says nobody and began after the last word of those who are missing is the same one.
      const wasNoReplica = /^master_replid2:0{40}/m.test(info);
      const isRestart = startedAt - ROUNDED_MS > seenAt || (wasNoReplica && startedAt + 2 * ROUNDED_MS > missedAt);
      return !(isRestart && /^aof_enabled:1/m.test(info));
    },
  };
}
