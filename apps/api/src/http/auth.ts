import { hash, timingSafeEqual } from 'node:crypto';
import { type ApiKeys, type Principal, SCOPES, type Scope } from '@grsai-jobs/job-store';
import type { Request, RequestHandler, Response } from 'express';
import type { KeyCache } from './key-cache.ts';
import { letIn } from './key-ends.ts';
import type { LoginBrake } from './login-brake.ts';
import { Problem } from './problem.ts';

const sha256 = (text: string) => hash('sha256', text, 'buffer');

/** What the audit log calls the key that is set by configuration. */
export const FIRST_KEY = 'ADMIN_API_KEY';

const ADMIN: Principal = { key_id: 'key_admin', tenant: 'admin', name: FIRST_KEY, scopes: [...SCOPES], expires_at: null };

/** Who sent this request; set by `requireScope`. */
export const principalOf = (response: Response): Principal => response.locals['principal'] as Principal;

export interface Auth {
  /** Lets a request through when its key is valid and has the scope: 401 and 403 otherwise. */
  requireScope(scope: Scope): RequestHandler;
}

export interface AuthOptions {
  apiKeys: ApiKeys;
  adminKey: string;
  cache: KeyCache;
  clock: { now(): number };
  brake: LoginBrake;
  /** A stored key has let a request in. */
  used: (keyId: string) => void;
  /** Counts a request whose key is valid, before its scope is looked at. Throws the 429. */
  limit?: (principal: Principal, request: Request, response: Response) => Promise<void>;
}

const bearerKey = (header: string): string | undefined => /^Bearer[ \t]+([^\s]+)[ \t]*$/i.exec(header)?.[1];

const CHALLENGE = { headers: { 'WWW-Authenticate': 'Bearer realm="grsai-jobs"' } };

export function createAuth(o: AuthOptions): Auth {
  const admin = sha256(o.adminKey);

  async function find(key: string): Promise<Principal | null> {
    if (timingSafeEqual(sha256(key), admin)) return ADMIN;
    if (!key.startsWith('gj_') || key.length > 128) return null;
    return await o.cache.find(key, () => o.apiKeys.find(key));
  }

  /** Looks a key up, which takes whoever tries keys longer and longer. */
  async function lookUp(key: string, address: string): Promise<Principal> {
    await o.brake.before(address, key);
    const principal = await find(key);
    if (principal === null) {
      o.brake.wrong(address);
      throw new Problem('unauthorized', 'This API key is not known or was revoked.', CHALLENGE);
    }
    if (!isOver(principal)) o.brake.right(key);
    return principal;
  }

  const isOver = ({ expires_at }: Principal): boolean => expires_at !== null && expires_at <= o.clock.now();

  async function authenticate(request: Request, response: Response): Promise<Principal> {
    const key = bearerKey(request.headers.authorization ?? '');
    if (key === undefined) throw new Problem('unauthorized', 'Send your API key as "Authorization: Bearer gj_…".', CHALLENGE);
    const principal = o.cache.known(key) ?? (await lookUp(key, request.ip ?? ''));
    if (isOver(principal)) throw new Problem('unauthorized', 'This API key has expired.', CHALLENGE);
    if (principal !== ADMIN) {
      letIn(response, key, principal);
      o.used(principal.key_id);
    }
    return principal;
  }

  return {
    requireScope: (scope) => async (request, response, next) => {
      const principal = await authenticate(request, response);
      await o.limit?.(principal, request, response);
      if (!principal.scopes.includes(scope))
        throw new Problem('forbidden', `This API key lacks the scope ${scope}; it has ${principal.scopes.join(', ') || 'none'}.`);
      response.locals['principal'] = principal;
      next();
    },
  };
}
