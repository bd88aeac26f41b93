import type { JobStore } from '@grsai-jobs/job-store';
import { type OverviewView, rfc3339 } from '@grsai-jobs/jobs';
import type { Producer } from '@grsai-jobs/queue';
import type { Clock } from '@grsai-jobs/runtime';
import { Router } from 'express';
import { queueStates } from '../../use-cases/queue-states.ts';
import type { Auth } from '../auth.ts';

const MINUTES = [1, 5, 60] as const;

/** How it goes: numbers from indexes that are kept anyway, however many jobs there are. */
export function adminOverviewRoutes(o: {
  auth: Auth;
  store: Pick<JobStore, 'overview' | 'health' | 'workers' | 'pauses' | 'queueSettings' | 'jobs'>;
  producer: Producer;
  clock: Clock;
}): Router {
  const router = Router();
  router.get('/admin/v1/overview', o.auth.requireScope('admin:read'), async (_request, response) => {
    const now = o.clock.now();
    const [queues, standing, rates, in_flight, memory, workers, counters] = await Promise.all([
      queueStates(o),
      o.store.overview.standing(),
      o.store.overview.ratesSince(MINUTES.map((minutes) => now - minutes * 60_000)),
      o.store.overview.inFlightByBase(),
      o.store.health.memory(),
      o.store.workers.alive(),
      o.store.jobs.counters(),
    ]);
    const { oldest_unstored_at, ...jobs } = standing;
    response.json({
      object: 'overview',
      at: rfc3339(now),
      jobs: {
        ...jobs,
        oldest_unstored_age_s: oldest_unstored_at === null ? null : Math.max(0, Math.round((now - oldest_unstored_at) / 1000)),
      },
      rates: MINUTES.map((minutes, i) => {
        const { accepted = 0, ended = 0, failed = 0 } = rates[i] ?? {};
        const each = (n: number) => Math.round((n / minutes) * 100) / 100;
        return { minutes, accepted_per_min: each(accepted), ended_per_min: each(ended), failed_per_min: each(failed) };
      }),
      in_flight_by_base: in_flight,
      queues: queues.map(({ concurrency: _, object: __, ...queue }) => queue),
      pauses: queues.flatMap(({ name, pauses }) => pauses.map((pause) => ({ queue: name, ...pause }))),
      redis: { used_bytes: memory.used, max_bytes: memory.max, policy: memory.policy },
      workers: workers.map(({ started_at, seen_at, ...worker }) => ({
        ...worker,
        started_at: rfc3339(started_at),
        seen_at: rfc3339(seen_at),
      })),
      counters,
    } satisfies OverviewView);
  });
  return router;
}
