import type { JobStore } from '@grsai-jobs/job-store';
import { type Clock, type Metrics, within } from '@grsai-jobs/runtime';

/** A scrape does not wait for a Redis that is away. */
const LIMIT_MS = 2000;

/** How far webhooks are behind, asked when it is scraped; the same from each API process. Left out when it cannot be asked. */
export function webhookMetrics(
  metrics: Metrics,
  o: { deliveries: Pick<JobStore['deliveries'], 'standing'>; clock: Clock },
): void {
  const oldest = metrics.gauge(
    'webhook_oldest_pending_seconds',
    'Age of the oldest webhook that is neither delivered nor given up',
  );
  const rooms = metrics.gauge('webhook_rooms', 'Endpoints at which webhooks wait for a permit or a breaker');
  metrics.beforeExpose(async () => {
    for (const gauge of [oldest, rooms]) gauge.reset();
    const seen = await within(LIMIT_MS, 'Redis did not answer', o.deliveries.standing()).catch(() => null);
    if (seen === null) return;
    oldest.set(seen.oldestPendingAt === null ? 0 : Math.max(0, o.clock.now() - seen.oldestPendingAt) / 1000);
    rooms.set(seen.rooms);
  });
}
