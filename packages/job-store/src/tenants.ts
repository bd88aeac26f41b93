import type { Redis } from 'ioredis';
import { hear } from './hear.ts';
import { createKeys, type Keys } from './keys.ts';
import type { RunScript } from './scripts.ts';

/** A sealed webhook secret; `until` (ms since 1970) is set once a newer one has replaced it. */
interface SealedSecret {
  readonly secret: string;
  readonly until?: number;
}

/** A tenant's sealed secrets, newest first, with the text that they were read from (empty: there are none yet). */
interface KeptSecrets {
  readonly text: string;
  readonly secrets: readonly SealedSecret[];
}

/** Before there were rotations the field held one sealed text, which never begins like a list. */
const decode = (text: string): SealedSecret[] => {
  if (text === '') return [];
  return text.startsWith('[') ? (JSON.parse(text) as SealedSecret[]) : [{ secret: text }];
};

/** The tenant of `ADMIN_API_KEY`. */
const FIRST_TENANT = 'admin';

export type Tenants = ReturnType<typeof createTenants>;

/** What belongs to a tenant itself. Secrets arrive here sealed. */
export function createTenants(redis: Redis, run: RunScript, keys: Keys) {
  return {
    /** Every tenant that ever had a key, and so every tenant that may have jobs. The first key of all belongs to `admin`. */
    all: async (): Promise<string[]> => [...new Set([...(await redis.smembers(keys.tenants)), FIRST_TENANT])],

    async webhookSecrets(tenant: string): Promise<KeptSecrets> {
      const text = (await redis.hget(keys.tenant(tenant), 'webhook_secret')) ?? '';
      return { text, secrets: decode(text) };
    },

    /**
     * Writes `after` if the secrets still are what was read as `before`, and tells all processes; `false`: somebody
     * else has changed them.
     */
    async replaceWebhookSecrets(tenant: string, before: KeptSecrets, after: readonly SealedSecret[]): Promise<boolean> {
      const args = [before.text, JSON.stringify(after), keys.secretChanges, tenant];
      return (await run('swap-secrets', [keys.tenant(tenant)], args)) === 1;
    },

    /** Calls `each` with every tenant there is. Reads through all keys, in small steps: nothing for every day. */
    async forEach(each: (tenant: string) => Promise<void>): Promise<void> {
      const first = keys.tenant('');
      let cursor = '0';
      do {
        const [next, found] = await redis.scan(cursor, 'MATCH', `${first}*`, 'COUNT', 1000, 'TYPE', 'hash');
        for (const key of found) if (!key.slice(first.length).includes(':')) await each(key.slice(first.length));
        cursor = next;
      } while (cursor !== '0');
    },
  };
}

/**
 * Hears of each tenant whose webhook secrets were changed by any process.
 * @param o.redis a connection that listens; it takes no other commands.
 * @param o.onListening called when listening begins, and again each time the connection came back: changes may have been missed.
 * @param o.onDeaf called each time the connection is lost: from now on changes are missed.
 */
export const hearSecretChanges = (o: {
  redis: Redis;
  prefix: string;
  onChange: (tenant: string) => void;
  onListening: () => void;
  onDeaf: () => void;
  onError: (error: Error) => void;
}): Promise<void> => hear({ ...o, channel: createKeys(o.prefix).secretChanges, onMessage: o.onChange });
