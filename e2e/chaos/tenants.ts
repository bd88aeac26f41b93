/** Tenants of a run: the calls of one are limited, what those of the other cost. */
export const TENANTS = ['acme', 'thrift'] as const;
export type Tenant = (typeof TENANTS)[number];

/** What models cost upstream and by the file of the API. */
export const PRICES = { 'nano-banana-2': { credits: 1200 }, 'gemini-3.1-pro': { credits: 10 } };

/** What a tenant's requests may be refused with, while a limit of its own holds. */
export const REFUSALS: Readonly<Record<Tenant, readonly string[]>> = {
  acme: ['rate_limited', 'tenant_queue_full'],
  thrift: ['budget_exceeded'],
};
