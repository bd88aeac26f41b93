import type { Tenants } from '@grsai-jobs/job-store';
import type { SecretBox } from '@grsai-jobs/webhooks';
import { LRUCache } from 'lru-cache';

const CACHE_MS = 60_000;

/** The webhook secrets of a tenant, newest first; made when the tenant has none yet, and believed for a minute. */
export function createTenantSecrets(o: {
  tenants: Tenants;
  secrets: SecretBox;
  newSecret: () => string;
}): (tenant: string) => Promise<readonly string[]> {
  const known = new LRUCache<string, readonly string[]>({ max: 10_000, ttl: CACHE_MS });
  return async (tenant) => {
    const cached = known.get(tenant);
    if (cached) return cached;
    const sealed = await o.tenants.webhookSecret(tenant, () => o.secrets.seal(o.newSecret(), tenant));
    const opened = [o.secrets.open(sealed, tenant)];
    known.set(tenant, opened);
    return opened;
  };
}
