import { QUOTAS, type Usage } from '@grsai-jobs/job-store';
import { type Metrics, within } from '@grsai-jobs/runtime';

/** A scrape does not wait for a Redis that is away. */
const LIMIT_MS = 2000;

/** How near the largest tenant is to its limits, asked when it is scraped; names of tenants are no labels. */
export function usageMetrics(metrics: Metrics, usage: Pick<Usage, 'most'>): void {
  const most = metrics.gauge(
    'tenant_use_most',
    'The most that one tenant has: bytes in Redis, bytes in the object store, live jobs',
    ['of'],
  );
  metrics.beforeExpose(async () => {
    most.reset();
    const seen = await within(LIMIT_MS, 'Redis did not answer', usage.most()).catch(() => null);
    for (const name of seen === null ? [] : QUOTAS) most.set({ of: name }, seen?.[name] ?? 0);
  });
}
