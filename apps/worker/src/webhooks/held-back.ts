import type { EndpointRef } from '@grsai-jobs/job-store';

/** Endpoints of one tenant, and tenants, that are remembered. */
const ENDPOINTS = 100;
const TENANTS = 1000;

/** Endpoints whose deliveries wait since their tenant had its share of this worker. */
export interface HeldBack {
  /** What is beyond the limits is not remembered: the periodic check of rooms finds it. */
  add(endpoint: EndpointRef): void;
  /** One endpoint of the tenant, the first that was added, which is forgotten here. */
  takeOne(tenant: string): EndpointRef | null;
  /** Endpoints that are remembered. */
  size(): number;
}

export function createHeldBack(limits = { endpoints: ENDPOINTS, tenants: TENANTS }): HeldBack {
  const tenants = new Map<string, Map<string, EndpointRef>>();
  return {
    add(endpoint) {
      const own = tenants.get(endpoint.tenant) ?? new Map<string, EndpointRef>();
      if (own.size === 0 && tenants.size >= limits.tenants) return;
      if (own.size < limits.endpoints) own.set(endpoint.id, endpoint);
      tenants.set(endpoint.tenant, own);
    },
    takeOne(tenant) {
      const own = tenants.get(tenant);
      const [endpoint] = own?.values() ?? [];
      if (own === undefined || endpoint === undefined) return null;
      own.delete(endpoint.id);
      if (own.size === 0) tenants.delete(tenant);
      return endpoint;
    },
    size: () => [...tenants.values()].reduce((sum, own) => sum + own.size, 0),
  };
}
