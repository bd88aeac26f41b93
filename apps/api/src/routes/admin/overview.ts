import type { JobStore } from '@grsai-jobs/job-store';
import { type OverviewView, rfc3339 } from '@grsai-jobs/jobs';
import type { Clock } from '@grsai-jobs/runtime';
import { json, refusals } from '../../http/openapi/answers.ts';
import { route } from '../../http/route.ts';
import type { QueueStates } from '../../use-cases/queue-states.ts';
import { overview } from './examples.ts';
import { always } from './operation.ts';
import { Overview } from './schemas.ts';

interface OverviewDeps {
  queueStates: QueueStates;
  overview: JobStore['overview'];
  memoryUse: JobStore['health']['memory'];
  workers: Pick<JobStore['workers'], 'alive'>;
  jobs: Pick<JobStore['jobs'], 'counters'>;
  clock: Clock;
}

const MINUTES = [1, 5, 60] as const;

/** How it goes: numbers from indexes that are kept anyway, however many jobs there are. */
export const readOverview = route({
  method: 'get',
  path: '/admin/v1/overview',
  scope: 'admin:read',
  operation: {
    operationId: 'getOverview',
    summary: 'How it goes: depths, rates, tasks in flight, memory, workers, pauses',
    responses: { '200': json(Overview, 'Numbers of this moment', overview), ...refusals(...always) },
  },
  handlers: (o: OverviewDeps) => [
    async (_request, response) => {
      const now = o.clock.now();
      const [queues, standing, rates, in_flight, memory, workers, counters] = await Promise.all([
        o.queueStates(),
        o.overview.standing(),
        o.overview.ratesSince(MINUTES.map((minutes) => now - minutes * 60_000)),
        o.overview.inFlightByBase(),
        o.memoryUse(),
        o.workers.alive(),
        o.jobs.counters(),
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
    },
  ],
});
