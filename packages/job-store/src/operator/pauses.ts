import type { Brake, PauseReason } from '@grsai-jobs/jobs';
import { defineScript, type Redis, type RunScript } from '@grsai-jobs/redis';
import { brakeStateOf } from './brakes.ts';
import { setField } from './set-field.ts';

/** Why a queue takes nothing, and since when. */
export interface Pause {
  reason: PauseReason;
  /** Milliseconds since 1970. */
  since: number;
  detail: string;
  /** `half`: the trouble seems over and one job at a time is let through. */
  state: 'paused' | 'half';
  /** When it is over by itself, in milliseconds since 1970. */
  until?: number;
  /** When it last closed or half opened, if that was after `since`. */
  changed?: number;
  /** Of `upstream_refusal`, whose jobs wait: `null` is all. */
  model?: string | null;
  tenant?: string | null;
  /** Of a pause for money: the lowest amounts seen since it began. */
  credits?: Credits;
}

/** What upstream says of our money; what it does not say is missing. */
export interface Credits {
  quota?: number;
  account?: number;
}

const pauseOf = ({ model, tenant, raw, since }: Brake): Pause => ({
  reason: 'upstream_refusal',
  since,
  detail: raw,
  state: 'paused',
  model,
  tenant,
});

const pauseUntil = defineScript({
  lua: new URL('./pause-until.lua', import.meta.url),
  keys: ['pauses'],
  args: ['reason', 'pause', 'now', 'ends'],
  whenFull: 'runs',
});

export type Pauses = ReturnType<typeof createPauses>;

/** The reasons that each queue is paused for, in Redis so that all processes agree. A queue without one is open. A full Redis takes them too. */
export function createPauses(
  redis: Redis,
  run: RunScript,
  keys: { pauses(queue: string): string; readonly brakes: string },
  clock: { now(): number },
  queues: readonly string[],
) {
  return {
    /** `true` when the reason is new. */
    async add(queue: string, pause: Pause): Promise<boolean> {
      return (
        (await run(setField, { hash: keys.pauses(queue) }, { field: pause.reason, text: JSON.stringify(pause), only_new: 1 })) ===
        1
      );
    },

    async put(queue: string, pause: Pause): Promise<void> {
      await run(setField, { hash: keys.pauses(queue) }, { field: pause.reason, text: JSON.stringify(pause), only_new: null });
    },

    /** One that is over by itself at `until`. The later end stays, whoever says it; `true` when none was under way. */
    async addUntil(queue: string, pause: Pause & { until: number }): Promise<boolean> {
      const args = { reason: pause.reason, pause: JSON.stringify(pause), now: clock.now(), ends: pause.until };
      return (await run(pauseUntil, { pauses: keys.pauses(queue) }, args)) === 1;
    },

    async remove(queue: string, reason: PauseReason): Promise<boolean> {
      return (await redis.hdel(keys.pauses(queue), reason)) === 1;
    },

    /** The reasons of every queue, in one round trip. */
    async all(): Promise<Record<string, Pause[]>> {
      const now = clock.now();
      const pipeline = redis.pipeline();
      for (const queue of queues) pipeline.hvals(keys.pauses(queue));
      pipeline.hmget(keys.brakes, 'state');
      const replies = (await pipeline.exec()) ?? [];
      const [failed, state] = replies[queues.length] ?? [];
      if (failed) throw failed;
      const brakes = brakeStateOf((state as [string | null] | undefined)?.[0])?.brakes ?? [];
      return Object.fromEntries(
        queues.map((queue, i) => {
          const [error, texts] = replies[i] ?? [];
          if (error) throw error;
          const pauses = ((texts ?? []) as string[]).map((text) => JSON.parse(text) as Pause);
          const held = brakes.filter((brake) => brake.queue === queue).map(pauseOf);
          return [queue, [...pauses.filter(({ until }) => until === undefined || until > now), ...held]];
        }),
      );
    },
  };
}
