import { createHash, timingSafeEqual } from 'node:crypto';
import { type ApiKeys, type Principal, SCOPES, type Scope } from '@grsai-jobs/job-store';
import type { Request, RequestHandler, Response } from 'express';
import { LRUCache } from 'lru-cache';
import { Problem } from './problem.ts';

/** A key that was found is believed for this long (design §7). */
const CACHE_MS = 60_000;
const CACHE_KEYS = 10_000;

const sha256 = (text: string) => createHash('sha256').update(text).digest();

const ADMIN: Principal = { key_id: 'key_admin', tenant: 'admin', name: 'ADMIN_API_KEY', scopes: [...SCOPES], expires_at: null };

/** Who sent this request; set by `requireScope`. */
export const principalOf = (response: Response): Principal => response.locals['principal'] as Principal;

export interface Auth {
  /** Lets a request through when its key is valid and has the scope: 401 and 403 otherwise. */
  requireScope(scope: Scope): RequestHandler;
}

export interface AuthOptions {
  apiKeys: ApiKeys;
  adminKey: string;
  clock: { now(): number };
  /** Counts a request whose key is valid, before its scope is looked at. Throws the 429. */
  limit?: (principal: Principal, request: Request, response: Response) => Promise<void>;
}

export function createAuth(o: AuthOptions): Auth {
  const admin = sha256(o.adminKey);
  const known = new LRUCache<string, Principal>({ max: CACHE_KEYS, ttl: CACHE_MS });

  async function find(key: string): Promise<Principal | null> {
    const cached = known.get(key);
    if (cached) return cached;
    if (timingSafeEqual(sha256(key), admin)) return ADMIN;
    if (!key.startsWith('gj_') || key.length > 128) return null;
    const principal = await o.apiKeys.find(key);
    if (principal) known.set(key, principal);
    return principal;
  }

  async function authenticate(header: string | undefined): Promise<Principal> {
    const key = /^Bearer +([^\s]+) *$/i.exec(header ?? '')?.[1];
    const challenge = { headers: { 'WWW-Authenticate': 'Bearer realm="grsai-jobs"' } };
    if (key === undefined) throw new Problem('unauthorized', 'Send your API key as "Authorization: Bearer gj_…".', challenge);
    const principal = await find(key);
    if (principal === null) throw new Problem('unauthorized', 'This API key is not known or was revoked.', challenge);
    if (principal.expires_at !== null && principal.expires_at <= o.clock.now())
      throw new Problem('unauthorized', 'This API key has expired.', challenge);
    return principal;
  }

  return {
    requireScope: (scope) => async (request, response, next) => {
      const principal = await authenticate(request.headers.authorization);
      await o.limit?.(principal, request, response);
      if (!principal.scopes.includes(scope))
        throw new Problem('forbidden', `This API key lacks the scope ${scope}; it has ${principal.scopes.join(', ') || 'none'}.`);
      response.locals['principal'] = principal;
      next();
    },
  };
}
