import { createHash, randomBytes } from 'node:crypto';
import { defineScript, type Redis, type RunScript } from '@grsai-jobs/redis';
import type { LastingWrite } from '../layout/lasting-write.ts';

export const SCOPES = ['jobs:read', 'jobs:write', 'webhooks:write', 'admin:read', 'admin:write', 'admin:keys'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who a request comes from. */
export interface Principal {
  key_id: string;
  tenant: string;
  name: string;
  scopes: Scope[];
  expires_at: number | null;
}

/** A key as operators see it: neither its text nor its hash. */
export interface KnownKey extends Principal {
  created_at: number;
  /** At most a minute older than the truth; `null`: never used. */
  last_used_at: number | null;
}

/** A key is kept as its hash only; with 32 random bytes a plain SHA-256 is enough. */
const hashOf = (key: string) => createHash('sha256').update(key).digest('hex');

/** So long a second revocation of a key is answered like the first one, also after a lost answer. */
const TOMBSTONE_MS = 72 * 3600 * 1000;

const revoke = defineScript({
  lua: new URL('./revoke.lua', import.meta.url),
  keys: ['key', 'keys', 'tenants', 'used', 'tombstone'],
  args: ['id', 'tenant', 'channel', 'tombstone_ms'],
  whenFull: 'runs',
  lasts: true,
});

export type ApiKeys = ReturnType<typeof createApiKeys>;

export function createApiKeys(
  redis: Redis,
  run: RunScript,
  keys: {
    apiKey(hash: string): string;
    readonly apiKeys: string;
    readonly apiKeysUsed: string;
    readonly tenants: string;
    readonly revoked: string;
    revokedKey(id: string): string;
  },
  lasting: LastingWrite,
) {
  return {
    /** Makes a key; its text is in this answer and nowhere else. */
    async create(o: {
      tenant: string;
      name: string;
      scopes: Scope[];
      expiresAt: number | null;
      now: number;
    }): Promise<KnownKey & { key: string }> {
      const key = `gj_${randomBytes(32).toString('base64url')}`;
      const hash = hashOf(key);
      const id = `key_${hash.slice(0, 24)}`;
      const principal: Principal = { key_id: id, tenant: o.tenant, name: o.name, scopes: o.scopes, expires_at: o.expiresAt };
      await lasting(() =>
        redis
          .multi()
          .set(keys.apiKey(hash), JSON.stringify({ ...principal, created_at: o.now }))
          .hset(keys.apiKeys, id, hash)
          .sadd(keys.tenants, o.tenant)
          .exec(),
      );
      return { ...principal, key, created_at: o.now, last_used_at: null };
    },

    /** `null`: no such key. Whether it has expired is for the caller to see. */
    async find(key: string): Promise<Principal | null> {
      const text = await redis.get(keys.apiKey(hashOf(key)));
      return text === null ? null : (JSON.parse(text) as Principal);
    },

    /** Keys have let requests in, at these times. Nothing is noted of one that is gone. */
    async noteUses(uses: ReadonlyMap<string, number>): Promise<void> {
      const known = await redis.hmget(keys.apiKeys, ...uses.keys());
      const kept = [...uses].filter((_, i) => known[i] !== null);
      if (kept.length > 0) await redis.hset(keys.apiKeysUsed, Object.fromEntries(kept));
    },

    /** All keys, the newest first. */
    async list(): Promise<KnownKey[]> {
      const hashes = await redis.hvals(keys.apiKeys);
      if (hashes.length === 0) return [];
      const [texts, used] = await Promise.all([redis.mget(...hashes.map(keys.apiKey)), redis.hgetall(keys.apiKeysUsed)]);
      return texts
        .flatMap((text) => (text === null ? [] : [JSON.parse(text) as KnownKey]))
        .map((key) => ({ ...key, last_used_at: used[key.key_id] === undefined ? null : Number(used[key.key_id]) }))
        .sort((a, b) => b.created_at - a.created_at || (a.key_id < b.key_id ? 1 : -1));
    },

    /**
     * Revokes a key and has every process forget it. `before`: it was revoked of late; `null`: there is no key with this id. The tenant of the
     * key is remembered, since its jobs are still there. Of two who revoke it at once both are right, and so is one whose answer was lost. A
     * full Redis takes it: a key that leaked must not live on until there is room.
     */
    async remove(id: string): Promise<KnownKey | 'before' | null> {
      const hash = await redis.hget(keys.apiKeys, id);
      const text = hash === null ? null : await redis.get(keys.apiKey(hash));
      // Whoever sends it again may have been told that nobody knows whether it lasts.
      if (hash === null || text === null) return (await lasting(() => redis.exists(keys.revokedKey(id)))) === 1 ? 'before' : null;
      const key = JSON.parse(text) as KnownKey;
      await run(
        revoke,
        {
          key: keys.apiKey(hash),
          keys: keys.apiKeys,
          tenants: keys.tenants,
          used: keys.apiKeysUsed,
          tombstone: keys.revokedKey(id),
        },
        { id, tenant: key.tenant, channel: keys.revoked, tombstone_ms: TOMBSTONE_MS },
      );
      return key;
    },
  };
}
