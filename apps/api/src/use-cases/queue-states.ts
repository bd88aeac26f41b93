import type { JobStore } from '@grsai-jobs/job-store';
import { type QueueView, rfc3339, stopsAll } from '@grsai-jobs/jobs';
import { type Producer, QUEUES, type QueueName } from '@grsai-jobs/queue';
import type { Clock } from '@grsai-jobs/runtime';

const seconds = (ms: number): number => Math.max(0, Math.round(ms / 100) / 10);

const NO_ROOMS = { jobs: 0, oldest_at: null };

/** What each queue holds, why it stands still, and how much of it workers take at once. */
export type QueueStates = () => Promise<QueueView[]>;

export const createQueueStates =
  (o: {
    store: Pick<JobStore, 'pauses' | 'queueSettings' | 'rooms' | 'workers'>;
    producer: Pick<Producer, 'depths'>;
    clock: Clock;
  }): QueueStates =>
  async () => {
    const { store, producer, clock } = o;
    const [depths, call, submit, pauses, concurrency, workers] = await Promise.all([
      producer.depths(),
      store.rooms.standing('call'),
      store.rooms.standing('submit'),
      store.pauses.all(),
      store.queueSettings.concurrency(),
      store.workers.alive(),
    ]);
    const now = clock.now();
    const rooms: Partial<Record<QueueName, typeof call>> = { call, submit };
    return QUEUES.map((name) => {
      const { waiting, active, delayed, oldest_at: oldestEntry, next_due_at } = depths[name];
      const { jobs: in_rooms, oldest_at: oldestInRoom } = rooms[name] ?? NO_ROOMS;
      const oldest_at = Math.min(oldestEntry ?? Number.POSITIVE_INFINITY, oldestInRoom ?? Number.POSITIVE_INFINITY);
      const reasons = pauses[name] ?? [];
      return {
        name,
        object: 'queue',
        paused: reasons.some(({ reason, state }) => state === 'paused' && stopsAll(reason)),
        pauses: reasons.map(({ since, until, changed: _changed, credits: _credits, ...pause }) => ({
          ...pause,
          since: rfc3339(since),
          ...(until === undefined ? {} : { until: rfc3339(until) }),
        })),
        waiting: waiting + in_rooms,
        in_rooms,
        active,
        delayed,
        oldest_age_s: Number.isFinite(oldest_at) ? seconds(now - oldest_at) : null,
        late_s: next_due_at === null ? 0 : seconds(now - next_due_at),
        concurrency: {
          set: concurrency[name] ?? null,
          workers: workers.flatMap(({ id, queues }) => (queues[name] ? [{ worker: id, ...queues[name] }] : [])),
        },
      };
    });
  };

export const isQueue = (name: string): name is QueueName => (QUEUES as readonly string[]).includes(name);
