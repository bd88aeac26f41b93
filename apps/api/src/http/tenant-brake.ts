import type { Request, Response } from 'express';
import { createBrake, type Wait } from './brake.ts';
import type { ProblemCode } from './problem.ts';

/** Ten refusals within a minute cost nothing: whoever has sent many at once learns of it by each of them. */
const PACE = { free: 10, firstMs: 50, longestMs: 1000 };

/** Refusals for which a body was read, unpacked or checked in vain. */
const COSTLY: ReadonlySet<unknown> = new Set<ProblemCode>([
  'body_too_large',
  'tenant_quota_exceeded',
  'tenant_queue_full',
  'too_many_bytes_in_flight',
]);

/** Slows down a tenant that goes on sending what is refused for its size or its limits. */
export interface TenantBrake {
  /** Waits before a body is read, longer with each one of this tenant that was read in vain; a request without one never waits. */
  before(tenant: string, request: Request, response: Response): Promise<void>;
}

const hasBody = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

export function createTenantBrake({ wait }: { wait?: Wait } = {}): TenantBrake {
  const brake = createBrake({ ...PACE, wait });
  return {
    async before(tenant, request, response) {
      if (!hasBody(request)) return;
      response.once('close', () => {
        if (COSTLY.has(response.locals['problemCode'])) brake.refused(tenant);
      });
      await brake.before(tenant);
    },
  };
}
