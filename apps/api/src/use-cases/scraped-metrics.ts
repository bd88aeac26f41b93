import { type CatalogueWatch, type JobStore, QUOTAS, type Usage } from '@grsai-jobs/job-store';
import type { QueueView } from '@grsai-jobs/jobs';
import { type Clock, type Metrics, systemTimers, within } from '@grsai-jobs/runtime';

/** Numbers of the whole service, asked when they are scraped; each API process says the same. */

/** A scrape does not wait for a Redis that is away. */
const LIMIT_MS = 2000;

const STATES = ['waiting', 'active', 'delayed'] as const;
/**
 * What stands in the queues, asked when it is scraped: all processes share the queues, so each API process says the same. When
 * they cannot be asked the scrape goes without them, as an old number would look like a fresh one.
 */
export function queueMetrics(metrics: Metrics, states: () => Promise<readonly QueueView[]>): void {
  const entries = metrics.gauge('queue_entries', 'Entries of each queue; the same from each API process', ['queue', 'state']);
  const oldest = metrics.gauge('queue_oldest_age_seconds', 'Age of the entry that is next in line; 0 when none waits', ['queue']);
  const late = metrics.gauge('queue_late_seconds', 'How long the first delayed entry is overdue', ['queue']);
  metrics.beforeExpose(async () => {
    for (const gauge of [entries, oldest, late]) gauge.reset();
    const queues = await within(systemTimers, LIMIT_MS, 'the queues did not answer', states()).catch(
      (): readonly QueueView[] => [],
    );
    for (const queue of queues) {
      for (const state of STATES) entries.set({ queue: queue.name, state }, queue[state]);
      oldest.set({ queue: queue.name }, queue.oldest_age_s ?? 0);
      late.set({ queue: queue.name }, queue.late_s);
    }
  });
}

/** How near the largest tenant is to its limits, asked when it is scraped; names of tenants are no labels. */
export function usageMetrics(metrics: Metrics, usage: Pick<Usage, 'most'>): void {
  const most = metrics.gauge(
    'tenant_use_most',
    'The most that one tenant has: bytes in Redis, bytes in the object store, live jobs',
    ['of'],
  );
  metrics.beforeExpose(async () => {
    most.reset();
    const seen = await within(systemTimers, LIMIT_MS, 'Redis did not answer', usage.most()).catch(() => null);
    for (const name of seen === null ? [] : QUOTAS) most.set({ of: name }, seen?.[name] ?? 0);
  });
}

/** How old the list of models is, as this process has seen it last. Left out when there is none. */
export function catalogueMetrics(metrics: Metrics, o: Pick<CatalogueWatch, 'list'> & { clock: Clock }): void {
  const age = metrics.gauge('catalogue_age_seconds', "Age of upstream's list of models; left out when there is none");
  metrics.beforeExpose(async () => {
    const list = o.list();
    if (list === null) age.remove();
    else age.set(Math.max(0, o.clock.now() - list.read_at) / 1000);
  });
}

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
    const seen = await within(systemTimers, LIMIT_MS, 'Redis did not answer', o.deliveries.standing()).catch(() => null);
    if (seen === null) return;
    oldest.set(seen.oldestPendingAt === null ? 0 : Math.max(0, o.clock.now() - seen.oldestPendingAt) / 1000);
    rooms.set(seen.rooms);
  });
}

/** Jobs that wait for a decision, asked when it is scraped; the same from each API process. Left out when it cannot be asked. */
export function suspectMetrics(metrics: Metrics, suspects: Pick<JobStore['suspects'], 'count'>): void {
  const held = metrics.gauge('suspect_jobs', 'Jobs that may have been paid for and wait for a decision');
  metrics.beforeExpose(async () => {
    held.reset();
    const count = await within(systemTimers, LIMIT_MS, 'Redis did not answer', suspects.count()).catch(() => null);
    if (count !== null) held.set(count);
  });
}

/** Whether tenants get their share, asked when it is scraped; the same from each API process. Left out when it cannot be asked. */
export function fairnessMetrics(metrics: Metrics, o: { rooms: Pick<JobStore['rooms'], 'idleSince'>; clock: Clock }): void {
  const waits = metrics.gauge(
    'tenant_first_wait_seconds',
    'How long the first job of some tenant has waited although its call could begin, of that which waits longest',
    ['queue'],
  );
  metrics.beforeExpose(async () => {
    waits.reset();
    for (const queue of ['call', 'submit'] as const) {
      const since = await within(systemTimers, LIMIT_MS, 'Redis did not answer', o.rooms.idleSince(queue)).catch(() => undefined);
      if (since !== undefined) waits.set({ queue }, since === null ? 0 : Math.max(0, o.clock.now() - since) / 1000);
    }
  });
}
