import type { Metrics } from './metrics.ts';
import type { SyncedClock } from './synced-clock.ts';

/** How this machine's clock and the way to Redis are, whenever somebody asks. */
export function clockMetrics(metrics: Metrics, clock: Pick<SyncedClock, 'aheadMs' | 'roundTripMs'>): void {
  const ahead = metrics.gauge('clock_ahead_seconds', 'By how much the clock of this machine is ahead of that of Redis');
  const roundTrip = metrics.gauge('redis_round_trip_seconds', 'The longest round trip to Redis of the last minute');
  metrics.beforeExpose(async () => {
    ahead.set(clock.aheadMs() / 1000);
    roundTrip.set(clock.roundTripMs() / 1000);
  });
}
