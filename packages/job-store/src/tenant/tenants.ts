import type { Redis } from 'ioredis';
import { defineScript } from '../redis/define-script.ts';
import type { Keys } from '../redis/keys.ts';
import type { RunScript } from '../redis/scripts.ts';

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

const swapSecrets = defineScript({
  lua: new URL('./swap-secrets.lua', import.meta.url),
  keys: ['tenant'],
  args: ['before?', 'after', 'channel', 'name'],
  whenFull: 'runs',
});

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
      const args = { before: before.text, after: JSON.stringify(after), channel: keys.secretChanges, name: tenant };
      return (await run(swapSecrets, { tenant: keys.tenant(tenant) }, args)) === 1;
    },
  };
}
