import type { QueueView } from '@grsai-jobs/jobs';
import { type Metrics, within } from '@grsai-jobs/runtime';

const STATES = ['waiting', 'active', 'delayed'] as const;
/** A scrape does not wait for a Redis that is away. */
const LIMIT_MS = 2000;

/**
 * What stands in the queues, asked when it is scraped: all processes share the queues, so each API process tells the same. When
 * they cannot be asked the scrape goes without them, as an old number would look like a fresh one.
 */
export function queueMetrics(metrics: Metrics, states: () => Promise<readonly QueueView[]>): void {
  const entries = metrics.gauge('queue_entries', 'Entries of each queue; the same from each API process', ['queue', 'state']);
  const oldest = metrics.gauge('queue_oldest_age_seconds', 'Age of the entry that is next in line; 0 when none waits', ['queue']);
  const late = metrics.gauge('queue_late_seconds', 'How long the first delayed entry is overdue', ['queue']);
  metrics.beforeExpose(async () => {
    for (const gauge of [entries, oldest, late]) gauge.reset();
    const queues = await within(LIMIT_MS, 'the queues did not answer', states()).catch((): readonly QueueView[] => []);
    for (const queue of queues) {
      for (const state of STATES) entries.set({ queue: queue.name, state }, queue[state]);
      oldest.set({ queue: queue.name }, queue.oldest_age_s ?? 0);
      late.set({ queue: queue.name }, queue.late_s);
    }
  });
}
