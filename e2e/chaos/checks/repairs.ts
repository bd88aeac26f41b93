import type { Caused } from '../cause-troubles.ts';
import type { Evidence, StreamEvent } from '../evidence.ts';
import type { TroubleKind } from '../plan-troubles.ts';

/** What can take an entry away between a transition and the add that follows it: a process dies, or Redis is out of its reach. */
const TAKE_ENTRIES: readonly TroubleKind[] = [
  'worker.kill',
  'worker.freeze',
  'worker.cutoff',
  'api.kill',
  'redis.kill',
  'redis.pause',
  'redis.refuse',
  'redis.cut',
];

/** Clocks are one machine's; this is for what was on the way, and for connections that come back. */
const SLACK_MS = 2000;

interface Repair {
  readonly at: number;
  readonly job: string;
  readonly what: string;
}

const jobOfEvent = (event: string): string => `job_${event.split('_')[1]}`;

/** Repairs as the workers logged them. */
export function repairsOf({ processes }: Pick<Evidence, 'processes'>): Repair[] {
  return processes.flatMap(({ lines }) =>
    lines.flatMap((line) => {
      const at = Date.parse(String(line['time']));
      if (line['event'] === 'job.repaired')
        return [{ at, job: String(line['job_id']), what: `${String(line['status'])}/${String(line['stage'])}` }];
      const delivery = String(line['delivery_id']);
      return line['event'] === 'webhook.repaired' ? [{ at, job: jobOfEvent(delivery), what: delivery }] : [];
    }),
  );
}

/** The last thing that is known of the job before the repair. */
const lastEventBefore = (events: readonly StreamEvent[], repair: Repair): number =>
  events.filter((event) => event.job === repair.job && event.at < repair.at).at(-1)?.at ?? 0;

/**
 * An entry is lost only between a transition and the add behind it. So some trouble that can take an entry lies between the last
 * event of the job and its repair; in a calm run there is none, and so no repair.
 */
export function repairsAreExplained(evidence: Evidence): string[] {
  const repairs = repairsOf(evidence);
  const takers = evidence.troubles.filter((caused) => caused.struck && TAKE_ENTRIES.includes(caused.trouble.kind));
  const explains = (caused: Caused, repair: Repair): boolean =>
    caused.until + SLACK_MS >= lastEventBefore(evidence.events, repair) && caused.from <= repair.at;
  const unexplained = repairs.filter((repair) => !takers.some((caused) => explains(caused, repair)));
  const counted = (evidence.counters['repairs'] ?? 0) + (evidence.counters['delivery_repairs'] ?? 0);
  return [
    ...unexplained.map(
      (repair) =>
        `${repair.job} (${repair.what}) was repaired at ${new Date(repair.at).toISOString()}, and nothing had taken its entry`,
    ),
    ...(evidence.calm && counted > 0 ? [`${counted} repairs were counted in a calm run`] : []),
    // A worker can die between the transition and its line, so lines may be fewer than transitions, never more.
    ...(repairs.length > counted ? [`${repairs.length} repairs were logged, but only ${counted} counted`] : []),
  ];
}
